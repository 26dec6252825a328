namespace Lingotto.Runs;

/// <summary>Shows nothing; tells of warnings.</summary>
internal sealed class SilentObserver(Action<string>? warned = null) : IRunObserver
{
    public void Preparing(string stage, double? progress)
    {
    }

    public void Started(RunSummary summary)
    {
    }

    public void Stepped(StepMetrics metrics)
    {
    }

    public void Evaluated(EvaluationMetrics metrics)
    {
    }

    public void Saved(long step, string folder, TimeSpan time)
    {
    }

    public void Sampled(string prompt, string continuation)
    {
    }

    public void Warned(string message) => warned?.Invoke(message);

    public void Finished(RunResult result)
    {
    }
}
