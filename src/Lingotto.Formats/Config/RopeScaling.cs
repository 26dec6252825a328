namespace Lingotto.Formats;

/// <summary>The rope_scaling block of config.json.</summary>
/// <remarks>
/// Linear: position / s. Dynamic: theta' = theta * (s*T/Lmax - (s-1))^(D/(D-2)) once T exceeds Lmax.
/// YaRN: dim(r) = D*ln(L0/(2*pi*r)) / (2*ln theta); lo = floor(dim(BetaFast)), hi = ceil(dim(BetaSlow)), clamped to [0, D-1];
/// ramp = clamp((i-lo)/(hi-lo), 0, 1); frequency = base*(1-ramp) + base/s*ramp; cos and sin are multiplied by
/// g(Mscale)/g(MscaleAllDim), g(a) = 0.1*a*ln(s) + 1 for s > 1. Defaults are those of Hugging Face's implementation.
/// </remarks>
public sealed record RopeScaling
{
    /// <summary>The method.</summary>
    public required RopeScalingType Type { get; init; }

    /// <summary>s: how many times longer the context becomes.</summary>
    public required double Factor { get; init; }

    /// <summary>L0: the context length, in tokens, that the frequencies were trained for.</summary>
    public int OriginalMaxPositionEmbeddings { get; init; } = 4096;

    /// <summary>YaRN: rotations within L0 above which a frequency is kept as it is.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>YaRN: rotations within L0 below which a frequency is fully interpolated.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>YaRN: strength of the attention rescaling.</summary>
    public double Mscale { get; init; } = 1;

    /// <summary>YaRN: the part of the rescaling that moves from cos and sin to the attention scale.</summary>
    public double MscaleAllDim { get; init; }
}
