namespace Lingotto.Formats;

/// <summary>The pairs of channels that the rotary embedding rotates together.</summary>
public enum RotaryLayout
{
    /// <summary>Channel i with channel i + R/2 (rotate-half, "NeoX").</summary>
    Half,

    /// <summary>Channel 2i with channel 2i + 1.</summary>
    Interleaved,
}
