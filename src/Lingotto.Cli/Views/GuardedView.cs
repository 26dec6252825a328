using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>Hours of training do not end because a view failed: it is dropped, said once, and the run goes on with the next.</summary>
internal sealed class GuardedView(IRunObserver first, IRunObserver? second, TextWriter warnings) : IRunObserver
{
    private IRunObserver? _view = first;

    public void Preparing(string stage, double? progress) => Show(view => view.Preparing(stage, progress));

    public void Started(RunSummary summary) => Show(view => view.Started(summary));

    public void Stepped(StepMetrics metrics) => Show(view => view.Stepped(metrics));

    public void Evaluated(EvaluationMetrics metrics) => Show(view => view.Evaluated(metrics));

    public void Saved(long step, string folder, TimeSpan time) => Show(view => view.Saved(step, folder, time));

    public void Sampled(string prompt, string continuation) => Show(view => view.Sampled(prompt, continuation));

    public void Warned(string message) => Show(view => view.Warned(message));

    public void Finished(RunResult result) => Show(view => view.Finished(result));

    private void Show(Action<IRunObserver> show)
    {
        try
        {
            if (_view is not null)
            {
                show(_view);
            }
        }
        catch (Exception e)
        {
            _view = _view == second ? null : second;
            TryWarn(
                $"warning: the view of the run failed ({e.GetType().Name}: {e.Message}); the run goes on, its figures are in "
                + "metrics.jsonl");
        }
    }

    private void TryWarn(string message)
    {
        try
        {
            warnings.WriteLine(message.ReplaceLineEndings(" "));
        }
        catch (IOException)
        {
            // Whoever read the output is gone; metrics.jsonl has it all.
        }
    }
}
