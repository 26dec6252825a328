using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>The fields of a spike or rollback line of metrics.jsonl.</summary>
internal static class SpikeLine
{
    /// <summary>Samples whose documents are written out; the numbers of all are.</summary>
    private const int MostDocumented = 256;

    public static string KindOf(SpikeEvent e) => e.Action == SpikeAction.RollBack ? "rollback" : "spike";

    public static void Write(Utf8JsonWriter json, SpikeEvent e, SampleDocuments documents)
    {
        json.WriteString("action", e.Action switch
        {
            SpikeAction.Skip => "skipped",
            SpikeAction.Slow => "slowed",
            _ => "rolled_back",
        });
        json.WriteStartArray("signals");
        foreach (SpikeSignals signal in new[] { SpikeSignals.Loss, SpikeSignals.GradNorm,
            SpikeSignals.NonFinite }.Where(s => e.Signals.HasFlag(s)))
        {
            json.WriteStringValue(signal switch { SpikeSignals.Loss => "loss", SpikeSignals.GradNorm => "grad_norm", _ => "non_finite" });
        }

        json.WriteEndArray();
        if (e.FromStep is { } from)
        {
            json.WriteNumber("from_step", from);
        }

        if (e.PassedOver is { } passed)
        {
            Numbers(json, "passed_over", [passed.From, passed.To]);
        }

        Numbers(json, "samples", e.Samples);
        if (e.Dropped.Count > 0)
        {
            Numbers(json, "dropped", e.Dropped);
        }

        json.WriteStartArray("documents");
        foreach (long sample in e.Samples.Distinct().Take(MostDocumented))
        {
            json.WriteStartObject();
            json.WriteNumber("sample", sample);
            json.WriteString("source", documents.SourceOf(sample));
            json.WriteStartArray("begin");
            foreach (string excerpt in documents.Excerpts(sample))
            {
                json.WriteStringValue(excerpt);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Numbers(Utf8JsonWriter json, string name, IReadOnlyList<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }
}
