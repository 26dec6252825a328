namespace Lingotto.Planning;

/// <summary>A run predicted by a fit that did not see it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Fold">What was left out with it: its model, or its source.</param>
/// <param name="Seconds">Predicted.</param>
/// <param name="ConstantMfuSeconds">By the median share of peak of the rows that were fitted.</param>
/// <param name="HalfWidth">Of the 80 % interval, in the logarithm, as a plan would have it from the errors of other folds; not a number where none was made.</param>
internal sealed record Prediction(MeasuredRun Run, string Fold, double Seconds, double ConstantMfuSeconds, double HalfWidth)
{
    /// <summary>Logarithm of predicted over measured.</summary>
    public double LogError => Math.Log(Seconds / Run.StepSeconds);

    public double RelativeError => Seconds / Run.StepSeconds - 1;

    public double ConstantMfuError => ConstantMfuSeconds / Run.StepSeconds - 1;

    /// <summary>
    /// Error to expect of a model or source that nobody has seen, in the logarithm: the root of the mean over folds of the mean square
    /// of each. A new source is drawn among sources, not among rows, so a long table counts once; not a number of none.
    /// </summary>
    public static double LogErrorOf(IReadOnlyCollection<Prediction> rows) => rows.Count == 0 ? double.NaN : Math.Sqrt(
        rows.GroupBy(row => (row.Run.Family, row.Fold)).Average(fold => fold.Average(row => row.LogError * row.LogError)));

    public bool IsCovered => Math.Abs(LogError) <= HalfWidth;
}
