namespace Lingotto.Planning;

/// <summary>A run predicted by a fit that left it out.</summary>
/// <param name="Run">The run.</param>
/// <param name="Fold">The model or source that was left out with the run.</param>
/// <param name="Seconds">Predicted time, s.</param>
/// <param name="ConstantMfuSeconds">Time at the median MFU of the fitted rows, s.</param>
/// <param name="HalfWidth">
/// Half the width of the 80 % interval in the logarithm, from the errors of other folds; not a number without an interval.
/// </param>
internal sealed record Prediction(MeasuredRun Run, string Fold, double Seconds, double ConstantMfuSeconds, double HalfWidth)
{
    /// <summary>Logarithm of predicted over measured time.</summary>
    public double LogError => Math.Log(Seconds / Run.StepSeconds);

    public double RelativeError => Seconds / Run.StepSeconds - 1;

    public double ConstantMfuError => ConstantMfuSeconds / Run.StepSeconds - 1;

    /// <summary>
    /// Returns the expected error of an unseen model or source, in the logarithm: the root of the mean over folds of the mean square of
    /// each fold. A new source is drawn from sources, not from rows, so a long table counts once. Not a number without rows.
    /// </summary>
    public static double LogErrorOf(IReadOnlyCollection<Prediction> rows) => rows.Count == 0 ? double.NaN : Math.Sqrt(
        rows.GroupBy(row => (row.Run.Family, row.Fold)).Average(fold => fold.Average(row => row.LogError * row.LogError)));

    public bool IsCovered => Math.Abs(LogError) <= HalfWidth;
}
