using System.Text.Json;
using Lingotto.Formats;
using Lingotto.Planning;
using Lingotto.Training;

namespace Lingotto.Cli;

/// <summary>lingotto plan RECIPE --here: what this machine will do with a recipe, and what it did.</summary>
internal static class PlanHere
{
    /// <summary>Steps at the beginning that are not counted: code is still being compiled.</summary>
    private const int WarmSteps = 2;

    public static int Write(string recipe, string machine, string? happened, CliContext context)
    {
        MeasuredTraining training = DeviceCatalogue.ReadDevice(machine).Training
            ?? throw new PlanException($"{machine}: holds no measured training step: write it with lingotto bench --device-file");
        Recipe run = RecipeFile.Load(recipe, context.AssetFolder, []);
        string model = PlanCommand.Locate(run.Model, context.AssetFolder);
        int microBatch = run.Training.SequencesPerMicroBatch;
        var work = new Workload
        {
            Model = ModelShape.Of(ModelConfig.Load(model), run.Model),
            SequenceLength = run.Training.SequenceLength,
            SequencesPerStep = microBatch * Math.Max(1, run.Training.MicroBatches),
        };
        double rate = MachineModel.TokensPerSecond(training, work, microBatch), memory = MachineModel.MemoryBytes(training, work, microBatch);
        context.Terminal.Out.WriteLine(FormattableString.Invariant(
            $"{recipe} on {Path.GetFileNameWithoutExtension(machine)}: {rate:N0} tokens/s, {Figures.Bytes(memory)} planned, {work.TokensPerStep / rate:G3} s an update of {work.TokensPerStep:N0} tokens"));
        if (happened is not null)
            Compare(rate, memory, happened, context.Terminal.Out);
        return ExitCodes.Done;
    }

    private static void Compare(double rate, double memory, string run, TextWriter output)
    {
        string log = Path.Combine(run, "metrics.jsonl");
        if (!File.Exists(log))
            throw new PlanException($"{log}: no such file: give the folder of a run, such as runs/quickstart");
        var rates = new List<double>();
        double planned = 0;
        foreach (string line in File.ReadLines(log))
        {
            using JsonDocument entry = JsonDocument.Parse(line);
            string? kind = entry.RootElement.GetProperty("kind").GetString();
            if (kind == "start" && entry.RootElement.TryGetProperty("planned_bytes", out JsonElement bytes))
                planned = bytes.GetDouble();
            if (kind == "step" && entry.RootElement.TryGetProperty("tokens_per_second", out JsonElement speed))
                rates.Add(speed.GetDouble());
        }

        if (rates.Count <= WarmSteps || planned == 0)
            throw new PlanException($"{log}: holds fewer than {WarmSteps + 1} steps: let the run go on and ask again");
        double[] sorted = [.. rates.Skip(WarmSteps).Order()];
        double measured = sorted[sorted.Length / 2];
        output.WriteLine(FormattableString.Invariant(
            $"{run} did {measured:N0} tokens/s (median of {sorted.Length} steps) and planned {Figures.Bytes(planned)}: predicted {100 * (rate / measured - 1):+0.0;-0.0} % and {100 * (memory / planned - 1):+0.0;-0.0} % beside it"));
    }
}
