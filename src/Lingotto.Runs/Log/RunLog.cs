namespace Lingotto.Runs;

/// <summary>What a run writes about itself: metrics.jsonl and tensorboard/. Neither can end the run; a fault is said once.</summary>
internal sealed class RunLog : IDisposable
{
    private readonly string _metricsPath, _tensorBoardPath;
    private readonly IRunObserver _observer;
    private MetricsLog? _metrics;
    private TensorBoardLog? _tensorBoard;

    public RunLog(string metricsPath, string tensorBoardPath, RunSummary summary, IRunObserver observer)
    {
        (_metricsPath, _tensorBoardPath, _observer) = (metricsPath, tensorBoardPath, observer);
        OpenAfter(summary.ResumedStep);
        _metrics?.Write(summary);
    }

    /// <inheritdoc cref="MetricsLog.Spent"/>
    public (double? Cost, double? KilowattHours) Spent => _metrics?.Spent ?? default;

    public void Write(StepMetrics metrics)
    {
        _metrics?.Write(metrics);
        _tensorBoard?.Write(metrics);
    }

    public void Write(SpikeEvent spike, SampleDocuments documents) => _metrics?.Write(spike, documents);

    /// <summary>The run rolled back to a checkpoint: the lines after it go, and why stays.</summary>
    public void RollBack(SpikeEvent rollback, SampleDocuments documents)
    {
        Dispose();
        OpenAfter(rollback.Step);
        _metrics?.Write(rollback, documents);
    }

    public void Write(EvaluationMetrics metrics)
    {
        _metrics?.Write(metrics);
        _tensorBoard?.Write(metrics);
    }

    public void Write(RunResult result) => _metrics?.Write(result);

    /// <summary>What the metrics say so far survives a power cut, so that no checkpoint is newer than they.</summary>
    public void FlushToDisk() => _metrics?.FlushToDisk();

    public void Dispose()
    {
        _metrics?.Dispose();
        _tensorBoard?.Dispose();
    }

    private void OpenAfter(long step)
    {
        _metrics = Open(_metricsPath, _observer, () => new MetricsLog(_metricsPath, step, _observer.Warned, TimeProvider.System));
        _tensorBoard = Open(
            _tensorBoardPath, _observer, () => new TensorBoardLog(_tensorBoardPath, step, _observer.Warned, TimeProvider.System));
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
            observer.Warned(
                $"{path} cannot be written ({e.Message.TrimEnd('.')}): training goes on without it; mend its permissions and run the "
                + "same command again.");
            return null;
        }
    }
}
