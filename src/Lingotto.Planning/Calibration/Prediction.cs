namespace Lingotto.Planning;

/// <summary>A run predicted by a fit that did not see it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Seconds">Predicted.</param>
/// <param name="ConstantMfuSeconds">By the median share of peak of the rows that were fitted.</param>
/// <param name="HalfWidth">Of the 80 % interval, in the logarithm, as a plan would have it from the errors of other folds; not a number where none was made.</param>
internal sealed record Prediction(MeasuredRun Run, double Seconds, double ConstantMfuSeconds, double HalfWidth)
{
    /// <summary>Logarithm of predicted over measured.</summary>
    public double LogError => Math.Log(Seconds / Run.StepSeconds);

    public double RelativeError => Seconds / Run.StepSeconds - 1;

    public double ConstantMfuError => ConstantMfuSeconds / Run.StepSeconds - 1;

    public bool IsCovered => Math.Abs(LogError) <= HalfWidth;
}
