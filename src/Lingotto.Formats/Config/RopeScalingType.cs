namespace Lingotto.Formats;

/// <summary>How rotary frequencies are stretched beyond the trained context; formulas in <see cref="RopeScaling"/>.</summary>
public enum RopeScalingType
{
    /// <summary>Positions are divided by the factor.</summary>
    Linear,

    /// <summary>Theta grows with the sequence once it passes the trained length.</summary>
    Dynamic,

    /// <summary>YaRN: low frequencies are interpolated, high ones kept, attention rescaled.</summary>
    Yarn,
}
