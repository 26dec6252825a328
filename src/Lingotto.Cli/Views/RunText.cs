using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>The figures of a run in words; every view says them alike.</summary>
internal static class RunText
{
    // What would be printed as 0.0 kWh.
    private const double LeastEnergy = 0.0005;

    public static string Model(RunSummary s) =>
        $"{Figures.Short(s.TotalParameters)} parameters, {Figures.Short(s.ActiveParameters)} active"
        + (s.NumExperts > 0 ? Invariant($", {s.NumExperts} experts in {s.MoeLayers.Count} layers") : "");

    public static string Device(RunSummary s) => Invariant($"{s.Device}, {s.PeakGflops:N0} GFLOP/s peak");

    public static string Data(RunSummary s) =>
        Invariant(
            $"{Figures.Short(s.TrainTokens)} tokens an epoch, {Figures.Short(s.HeldOutTokens)} held out, {s.TokensPerStep:N0} a step");

    /// <summary>The figures of an update in the order in which they are read.</summary>
    public static IEnumerable<string> Cells(StepMetrics m, HardwareConfig? hardware)
    {
        yield return Invariant($"loss {m.Loss:F3}");
        yield return Invariant($"lr {m.LearningRate:0.0e-00}");
        yield return Invariant($"gnorm {m.GradNorm:F2}");
        yield return Invariant($"{m.TokensPerSecond:N0} tok/s");
        yield return Invariant($"{100 * m.FractionOfPeak:F0}% of peak");
        if (m.MaxExpertLoad > 0)
        {
            yield return Invariant($"load {m.MaxExpertLoad:F2}");
        }
        yield return Figures.Bytes(m.ResidentBytes);
        if (m.Cost is { } cost && hardware is not null)
        {
            yield return Money(cost, hardware) + PerTrillion(m, hardware);
        }
        if (m.KilowattHours is { } energy and >= LeastEnergy)
        {
            yield return Energy(energy);
        }
        if (m.SecondsLeft is { } left)
        {
            yield return $"{Figures.Duration(left)} left";
        }
        if (m.Skipped)
        {
            yield return "SKIPPED: loss or gradient stood out";
        }
    }

    public static string Position(StepMetrics m) =>
        m.NumSteps is { } last ? Invariant($"step {m.Step}/{last}") : Invariant($"step {m.Step}");

    public static string HeldOut(EvaluationMetrics m, RunSummary? summary) =>
        Invariant($"loss {m.Loss:F3}  {m.BitsPerByte:F3} bits/byte")
        + (summary?.HeldOutGzipBitsPerByte > 0 ? Invariant($" (gzip {summary.HeldOutGzipBitsPerByte:F3})") : "");

    public static string Saved(long step, string folder, TimeSpan time) =>
        Invariant($"saved step {step} in {time.TotalSeconds:F1}s  {folder}");

    public static string Result(RunResult r, RunSummary? summary)
    {
        string outcome = r.Outcome switch
        {
            RunOutcome.Completed => "completed",
            RunOutcome.TimeUp => "time is up",
            _ => "stopped",
        };
        string text = Invariant($"{outcome} at step {r.Step} after {Figures.Duration(r.ElapsedSeconds)}");
        if (r.HeldOut is { } heldOut)
        {
            text += $"  held out {HeldOut(heldOut, summary)}";
        }
        if (r.Cost is { } cost && summary is not null)
        {
            text += $"  {Money(cost, summary.Hardware)}";
        }
        return r.KilowattHours is { } energy and >= LeastEnergy ? $"{text}  {Energy(energy)}" : text;
    }

    public static string NextCommand(RunResult r, RunSummary? summary) => r.Outcome == RunOutcome.Completed && summary is not null
        ? $"next: lingotto generate {summary.RunFolder} --prompt TEXT"
        : "next: the same command goes on from here" + (summary is null ? "" : $", or lingotto generate {summary.RunFolder} --prompt TEXT");

    private static string PerTrillion(StepMetrics m, HardwareConfig hardware) =>
        m.CostPerTrillionTokens is { } cost ? $" ({Figures.Short(cost)} {hardware.Currency} per 1T tokens)" : "";

    private static string Energy(double kilowattHours) => Invariant($"{kilowattHours:0.0##} kWh");

    private static string Money(double cost, HardwareConfig hardware) => Invariant($"{cost:0.00##} {hardware.Currency}");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
