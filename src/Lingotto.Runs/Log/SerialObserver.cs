namespace Lingotto.Runs;

/// <summary>Lets a second thread speak to an observer: calls come one at a time.</summary>
internal sealed class SerialObserver(IRunObserver observer) : IRunObserver
{
    private readonly Lock _gate = new();

    public void Preparing(string stage, double? progress) => Tell(() => observer.Preparing(stage, progress));

    public void Started(RunSummary summary) => Tell(() => observer.Started(summary));

    public void Stepped(StepMetrics metrics) => Tell(() => observer.Stepped(metrics));

    public void Evaluated(EvaluationMetrics metrics) => Tell(() => observer.Evaluated(metrics));

    public void Saved(long step, string folder, TimeSpan time) => Tell(() => observer.Saved(step, folder, time));

    public void Sampled(string prompt, string continuation) => Tell(() => observer.Sampled(prompt, continuation));

    public void Warned(string message) => Tell(() => observer.Warned(message));

    public void Finished(RunResult result) => Tell(() => observer.Finished(result));

    private void Tell(Action call)
    {
        lock (_gate)
        {
            call();
        }
    }
}
