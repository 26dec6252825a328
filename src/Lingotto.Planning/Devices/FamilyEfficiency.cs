namespace Lingotto.Planning;

/// <summary>
/// Efficiencies of a device family relative to the data sheet: six scalars fitted to public measurements, and the error of predictions.
/// </summary>
public sealed record FamilyEfficiency
{
    /// <summary>Name of the family; "any" for families without measurements.</summary>
    public required string Family { get; init; }

    /// <summary>Rate of large matmuls over the best measured matmul.</summary>
    public required double Matmul { get; init; }

    /// <summary>Rate of attention scores and values over the rate of matmuls.</summary>
    public required double Attention { get; init; }

    /// <summary>Rate of links over their bandwidth.</summary>
    public required double Link { get; init; }

    /// <summary>Ramp-up and tail of a kernel, s.</summary>
    public required double KernelSeconds { get; init; }

    /// <summary>Time of the host to launch the forward of a layer, s.</summary>
    public required double HostSeconds { get; init; }

    /// <summary>Logarithm of the speed gained in a year of software releases.</summary>
    public required double ReleaseGainPerYear { get; init; }

    /// <summary>Mean date of the measured software releases, years.</summary>
    public required double ReleaseYear { get; init; }

    /// <summary>Standard deviation of the logarithm of measured over predicted time, on rows left out of the fit.</summary>
    public required double LogError { get; init; }

    /// <summary>
    /// <see cref="LogError"/> for models with experts: on rows of the family with experts, or if there are none, on rows with experts of
    /// other families, predicted from dense rows only.
    /// </summary>
    public required double MoeLogError { get; init; }

    /// <summary>Rows of the fit; 0 for a family that uses the mean of the others.</summary>
    public required int Rows { get; init; }
}
