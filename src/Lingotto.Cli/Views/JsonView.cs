using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>A run as JSON Lines: one object a line, its <c>kind</c> first. Numbers that are not finite are null.</summary>
internal sealed class JsonView(TextWriter output) : IRunObserver
{
    public void Preparing(string stage, double? progress) =>
        Write("preparing", new JsonObject { ["stage"] = stage, ["progress"] = progress });

    public void Started(RunSummary summary) => Write("started", ToObject(summary, RunViewJson.Default.RunSummary));

    public void Stepped(StepMetrics metrics) => Write("step", ToObject(metrics, RunViewJson.Default.StepMetrics));

    public void Evaluated(EvaluationMetrics metrics) => Write("held_out", ToObject(metrics, RunViewJson.Default.EvaluationMetrics));

    public void Saved(long step, string folder, TimeSpan time) =>
        Write("saved", new JsonObject { ["step"] = step, ["folder"] = folder, ["seconds"] = time.TotalSeconds });

    public void Sampled(string prompt, string continuation) =>
        Write("sample", new JsonObject { ["prompt"] = prompt, ["continuation"] = continuation });

    public void Warned(string message) => Write("warning", new JsonObject { ["message"] = message });

    public void Finished(RunResult result) => Write("finished", ToObject(result, RunViewJson.Default.RunResult));

    private static JsonObject ToObject<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToNode(value, type)!.AsObject();

    private void Write(string kind, JsonObject line)
    {
        line.Insert(0, "kind", kind);
        output.WriteLine(line.ToJsonString(JsonText.Readable));
    }
}

/// <summary>The records of a run as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true, Converters = [typeof(FiniteOrNull)])]
[JsonSerializable(typeof(RunSummary))]
[JsonSerializable(typeof(StepMetrics))]
[JsonSerializable(typeof(EvaluationMetrics))]
[JsonSerializable(typeof(RunResult))]
internal sealed partial class RunViewJson : JsonSerializerContext;

/// <summary>JSON has no NaN.</summary>
internal sealed class FiniteOrNull : JsonConverter<double>
{
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDouble();

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
        {
            writer.WriteNumberValue(value);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
