namespace Lingotto.Text;

/// <summary>Mixes the bits of a hash.</summary>
internal static class HashMixer
{
    /// <summary>
    /// Applies the finaliser of SplitMix64 after its increment: a bijection of 64 bits in which each input bit affects each
    /// output bit.
    /// </summary>
    public static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
