namespace Lingotto.Training;

/// <summary>Runs a recipe from text to weights.</summary>
public static class Pretrainer
{
    /// <summary>Prepares the run folder, resumes or starts, trains, evaluates, saves and samples.</summary>
    /// <param name="recipe">The run.</param>
    /// <param name="options">What the command line says.</param>
    /// <param name="observer">Hears how it goes.</param>
    /// <param name="cancellation">A request to save and stop.</param>
    /// <exception cref="RunException">The run cannot go on; one line with the remedy.</exception>
    public static RunResult Run(Recipe recipe, PretrainOptions options, IRunObserver observer, CancellationToken cancellation) =>
        throw new RunException("pretraining is not wired up");
}
