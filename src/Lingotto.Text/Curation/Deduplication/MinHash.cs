using System.Numerics;

namespace Lingotto.Text;

/// <summary>MinHash signatures: the share of equal places of two estimates the Jaccard index of their shingle sets (Broder 1997).</summary>
/// <remarks>
/// 128 hash functions x -> a x + b mod 2^32, a odd, over hashes that are already well mixed. Twenty bands of six find a pair
/// of Jaccard 0.8 with 1 - (1 - 0.8^6)^20 = 99.8 %; a byte of each of the 128 minima is kept for the estimate (b-bit minwise
/// hashing, Li and Koenig 2010), whose standard deviation at 0.8 is 0.035.
/// </remarks>
internal static class MinHash
{
    public const int Functions = 128;
    public const int Bands = 20;
    public const int RowsOfBand = 6;

    /// <summary>Bytes of a fingerprint, one a function.</summary>
    public const int FingerprintLength = Functions;

    private static readonly uint[] s_factors = Constants(salt: 1, odd: 1);
    private static readonly uint[] s_terms = Constants(salt: 2, odd: 0);

    /// <summary>Fills the minima over all shingles, one a function.</summary>
    public static void Compute(ReadOnlySpan<uint> shingles, Span<uint> minima)
    {
        int width = Vector<uint>.Count;
        // Two vectors of functions at a time keep their factors, terms and minima in registers while all shingles pass.
        for (int f = 0; f < Functions; f += 2 * width)
        {
            var (factor0, factor1) = (new Vector<uint>(s_factors, f), new Vector<uint>(s_factors, f + width));
            var (term0, term1) = (new Vector<uint>(s_terms, f), new Vector<uint>(s_terms, f + width));
            var (least0, least1) = (new Vector<uint>(uint.MaxValue), new Vector<uint>(uint.MaxValue));
            foreach (uint shingle in shingles)
            {
                var x = new Vector<uint>(shingle);
                least0 = Vector.Min(least0, (x * factor0) + term0);
                least1 = Vector.Min(least1, (x * factor1) + term1);
            }

            least0.CopyTo(minima[f..]);
            least1.CopyTo(minima[(f + width)..]);
        }
    }

    /// <summary>A byte of every minimum.</summary>
    public static void Fingerprint(ReadOnlySpan<uint> minima, Span<byte> fingerprint)
    {
        for (int i = 0; i < minima.Length; i++)
        {
            fingerprint[i] = (byte)((minima[i] * 0x9E3779B1) >> 24);
        }
    }

    /// <summary>A 32-bit key of every band.</summary>
    public static void BandKeys(ReadOnlySpan<uint> minima, Span<uint> keys)
    {
        for (int band = 0; band < Bands; band++)
        {
            ulong key = (ulong)band;
            foreach (uint minimum in minima.Slice(band * RowsOfBand, RowsOfBand))
            {
                key = HashMixer.Mix(key ^ minimum);
            }

            keys[band] = (uint)(key >> 32);
        }
    }

    /// <summary>The estimated Jaccard index of two texts; bytes that are equal by chance are taken off.</summary>
    public static double Similarity(ReadOnlySpan<byte> fingerprint, ReadOnlySpan<byte> other)
    {
        int equal = 0;
        for (int i = 0; i < fingerprint.Length; i += Vector<byte>.Count)
        {
            equal -= Vector.Sum(Vector.As<byte, sbyte>(Vector.Equals(new Vector<byte>(fingerprint[i..]), new Vector<byte>(other[i..]))));
        }

        const double chance = 1.0 / 256;
        return Math.Max(0, (((double)equal / FingerprintLength) - chance) / (1 - chance));
    }

    private static uint[] Constants(ulong salt, uint odd) =>
        [.. Enumerable.Range(0, Functions).Select(i => (uint)(HashMixer.Mix((salt << 32) + (ulong)i) >> 32) | odd)];
}
