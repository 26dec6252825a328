namespace Lingotto.Training;

/// <summary>What a run writes about itself: metrics.jsonl and tensorboard/. Neither can end the run; a fault is said once.</summary>
internal sealed class RunLog : IDisposable
{
    private readonly MetricsLog? _metrics;
    private readonly TensorBoardLog? _tensorBoard;

    public RunLog(RunFolder folder, RunSummary summary, IRunObserver observer)
    {
        _metrics = Open(folder.Metrics, observer, () => new MetricsLog(folder.Metrics, summary.ResumedStep, observer.Warned, TimeProvider.System));
        _tensorBoard = Open(
            folder.TensorBoard, observer, () => new TensorBoardLog(folder.TensorBoard, summary.ResumedStep, observer.Warned, TimeProvider.System));
        _metrics?.Write(summary);
    }

    public void Write(StepMetrics metrics)
    {
        _metrics?.Write(metrics);
        _tensorBoard?.Write(metrics);
    }

    public void Write(EvaluationMetrics metrics)
    {
        _metrics?.Write(metrics);
        _tensorBoard?.Write(metrics);
    }

    public void Write(RunResult result) => _metrics?.Write(result);

    public void Dispose()
    {
        _metrics?.Dispose();
        _tensorBoard?.Dispose();
    }

    private static T? Open<T>(string path, IRunObserver observer, Func<T> open)
        where T : class
    {
        try
        {
            return open();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            observer.Warned($"{path} cannot be written ({e.Message.TrimEnd('.')}): training goes on without it; mend its permissions and run the same command again.");
            return null;
        }
    }
}
