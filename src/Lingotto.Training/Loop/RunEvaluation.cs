using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>What a run measures of its model: the held-out loss along the way and at the end, and samples at the end.</summary>
internal sealed class RunEvaluation(
    Recipe recipe, HeldOutEvaluator evaluator, LoadedModel model, Tokenizer tokenizer, string samplesPath, RunLog log,
    IRunObserver observer)
{
    /// <summary>Steps between two evaluations; 0 for the end only.</summary>
    public long EverySteps => recipe.Evaluation.EverySteps;

    /// <summary>The held-out loss on as many sequences as the recipe takes along the way; null where nothing is held out.</summary>
    public EvaluationMetrics? Run(long step, CancellationToken cancellation) => Run(step, recipe.Evaluation.Sequences, cancellation);

    /// <summary>The last evaluation of a session, on all that is held out if the run is complete; then the samples.</summary>
    public EvaluationMetrics? Finish(long step, bool isComplete, CancellationToken cancellation)
    {
        EvaluationMetrics? heldOut = Run(step, isComplete ? long.MaxValue : recipe.Evaluation.Sequences, cancellation);
        try
        {
            Samples.Write(recipe, model, tokenizer, samplesPath, observer, cancellation);
        }
        catch (OutOfDeviceMemoryException e)
        {
            observer.Sampled("(no samples)", " " + e.Message); // A run that has its checkpoint does not fail because a cache does not fit.
        }

        return heldOut;
    }

    private EvaluationMetrics? Run(long step, long sequences, CancellationToken cancellation)
    {
        EvaluationMetrics metrics = evaluator.Run(step, sequences, cancellation);
        if (metrics.Tokens == 0)
        {
            return null;
        }

        log.Write(metrics);
        observer.Evaluated(metrics);
        return metrics;
    }
}
