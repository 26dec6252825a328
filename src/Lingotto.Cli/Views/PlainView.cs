using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>A run as lines of text, for pipes and logs: at most one a second while it steps.</summary>
internal sealed class PlainView(TextWriter output, bool isQuiet, TimeProvider? time = null) : IRunObserver
{
    private static readonly TimeSpan s_stagePause = TimeSpan.FromSeconds(5);
    private const double StepPauseSeconds = 1;

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private RunSummary? _summary;
    private string _stage = "";
    private long _stageShown;
    private double _stepShown = double.NegativeInfinity;

    public void Preparing(string stage, double? progress)
    {
        // What follows the colon counts up within the stage.
        string name = stage.Split(':')[0];
        if (name == _stage && _time.GetElapsedTime(_stageShown) < s_stagePause)
        {
            return;
        }
        (_stage, _stageShown) = (name, _time.GetTimestamp());
        Write(progress is { } share ? FormattableString.Invariant($"{stage}  {100 * share:F0}%") : stage);
    }

    /// <summary>Takes over from another view that has shown the start.</summary>
    public void Remember(RunSummary summary) => _summary = summary;

    public void Started(RunSummary summary)
    {
        Remember(summary);
        Write($"run     {summary.RunFolder}");
        Write($"chip    {RunText.Device(summary)}");
        Write($"model   {RunText.Model(summary)}, {Figures.Bytes(summary.PlannedBytes)} planned");
        Write($"data    {RunText.Data(summary)}");
        if (summary.ResumedStep > 0)
        {
            Write(FormattableString.Invariant($"resumed at step {summary.ResumedStep}"));
        }
    }

    public void Stepped(StepMetrics metrics)
    {
        if (metrics.ElapsedSeconds - _stepShown < StepPauseSeconds && metrics.Step != metrics.NumSteps && !metrics.Skipped)
        {
            return;
        }
        _stepShown = metrics.ElapsedSeconds;
        Write($"{RunText.Position(metrics)}  {string.Join("  ", RunText.Cells(metrics, _summary?.Hardware))}");
    }

    public void Evaluated(EvaluationMetrics metrics) =>
        Write(FormattableString.Invariant($"held out at step {metrics.Step}  {RunText.HeldOut(metrics, _summary)}"));

    public void Saved(long step, string folder, TimeSpan time) => Write(RunText.Saved(step, folder, time));

    public void Sampled(string prompt, string continuation)
    {
        Write("");
        Write($"> {prompt}");
        Write(prompt + continuation);
    }

    public void Warned(string message) => output.WriteLine($"warning: {message}");

    public void Finished(RunResult result)
    {
        Write("");
        output.WriteLine(RunText.Result(result, _summary));
        Write(RunText.NextCommand(result, _summary));
    }

    private void Write(string line)
    {
        if (!isQuiet)
        {
            output.WriteLine(line);
        }
    }
}
