namespace Lingotto.Planning;

/// <summary>What a family of devices makes of its data sheet: six scalars fitted to public measurements, and how far off they leave a prediction.</summary>
public sealed record FamilyEfficiency
{
    /// <summary>The family, or "any" for those that nobody measured.</summary>
    public required string Family { get; init; }

    /// <summary>Large matrix products over the best measured one.</summary>
    public required double Matmul { get; init; }

    /// <summary>Attention scores and mixing over matrix products.</summary>
    public required double Attention { get; init; }

    /// <summary>Links over their bandwidth.</summary>
    public required double Link { get; init; }

    /// <summary>Ramp-up and tail of a kernel, s.</summary>
    public required double KernelSeconds { get; init; }

    /// <summary>The host's time to issue the forward of a layer, s.</summary>
    public required double HostSeconds { get; init; }

    /// <summary>Logarithm of the speed gained in a year of software releases.</summary>
    public required double ReleaseGainPerYear { get; init; }

    /// <summary>Middle of the releases that were measured, year.</summary>
    public required double ReleaseYear { get; init; }

    /// <summary>Standard deviation of the logarithm of measured over predicted time, on rows that took no part in the fit.</summary>
    public required double LogError { get; init; }

    /// <summary>
    /// The same for models with experts: of rows with experts where the family has some, else of such rows of other families
    /// predicted from dense rows alone.
    /// </summary>
    public required double MoeLogError { get; init; }

    /// <summary>Rows behind the fit; 0 for a family that borrows the mean of the others.</summary>
    public required int Rows { get; init; }
}
