using System.Globalization;

namespace Lingotto.Compute;

/// <summary>What one check found over all sizes of one operation.</summary>
/// <param name="Name">Operation and check, such as <c>rms_norm against the reference</c>.</param>
/// <param name="Cases">Cases run.</param>
/// <param name="WorstCase">Sizes and tensor at which the error was largest.</param>
/// <param name="WorstError">The largest error; not a number counts as infinite.</param>
/// <param name="Tolerance">The largest error allowed; 0 where bits or bytes are compared.</param>
public sealed record ConformanceResult(string Name, int Cases, string WorstCase, double WorstError, double Tolerance)
{
    /// <summary>True if no case went beyond the tolerance.</summary>
    public bool Passed => WorstError <= Tolerance;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Passed ? "ok" : "FAILED")} {Name}: {Cases} cases, worst {WorstError:g3} of {Tolerance:g3} at {WorstCase}");
}
