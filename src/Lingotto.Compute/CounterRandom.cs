using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>
/// Random numbers as a pure function of (key, counter): Philox4x32-10 of Salmon et al., "Parallel Random Numbers:
/// As Easy as 1, 2, 3" (SC 2011). Keyed by purpose, step and sample, never by rank or thread, so a resumed run needs
/// no generator state.
/// </summary>
public readonly struct CounterRandom
{
    private readonly uint _key0, _key1;

    /// <summary>A stream for one purpose of one seeded run.</summary>
    public CounterRandom(ulong seed, RandomPurpose purpose)
    {
        ulong key = seed ^ ((ulong)purpose * 0x9E3779B97F4A7C15UL);
        _key0 = (uint)key;
        _key1 = (uint)(key >> 32);
    }

    /// <summary>Four independent words for the counter (<paramref name="high"/>, <paramref name="low"/>).</summary>
    public (uint X0, uint X1, uint X2, uint X3) Block(ulong high, ulong low) =>
        Philox((uint)low, (uint)(low >> 32), (uint)high, (uint)(high >> 32), _key0, _key1);

    /// <summary>A uniform 64-bit word.</summary>
    public ulong Bits(ulong high, ulong low)
    {
        (uint x0, uint x1, _, _) = Block(high, low);
        return x0 | ((ulong)x1 << 32);
    }

    /// <summary>A uniform number in [0, 1) with 53 random bits.</summary>
    public double Uniform(ulong high, ulong low) => (Bits(high, low) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A standard normal number (Box and Muller, 1958).</summary>
    public double Normal(ulong high, ulong low)
    {
        (uint x0, uint x1, uint x2, uint x3) = Block(high, low);
        double radius = ((x0 | ((ulong)x1 << 32)) >> 11) * (1.0 / (1UL << 53));
        double angle = ((x2 | ((ulong)x3 << 32)) >> 11) * (1.0 / (1UL << 53));
        return Math.Sqrt(-2.0 * Math.Log(1.0 - radius)) * Math.Cos(2.0 * Math.PI * angle);
    }

    /// <summary>
    /// Four independent standard normal numbers (Box and Muller, 1958) in single precision, a fraction of the work of <see cref="Normal"/>;
    /// none is beyond 6.8, as the least uniform number is 2^-33.
    /// </summary>
    public Vector128<float> Normals(ulong high, ulong low)
    {
        (uint x0, uint x1, uint x2, uint x3) = Block(high, low);
        (float n0, float n1) = NormalPair(x0, x1);
        (float n2, float n3) = NormalPair(x2, x3);
        return Vector128.Create(n0, n1, n2, n3);
    }

    private static (float N0, float N1) NormalPair(uint radiusBits, uint angleBits)
    {
        const float unit = 1f / (1L << 32);
        float radius = MathF.Sqrt(-2 * MathF.Log((radiusBits * unit) + (unit / 2)));
        (float sine, float cosine) = MathF.SinCos(2 * MathF.PI * unit * angleBits);
        return (radius * cosine, radius * sine);
    }

    internal static (uint X0, uint X1, uint X2, uint X3) Philox(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        // Multipliers and key increments: Salmon et al., table 2 and section 4.
        for (int round = 0; round < 10; round++)
        {
            ulong product0 = 0xD2511F53UL * c0;
            ulong product1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 = unchecked(k0 + 0x9E3779B9);
            k1 = unchecked(k1 + 0xBB67AE85);
        }

        return (c0, c1, c2, c3);
    }
}

/// <summary>What a random number is for; streams of different purposes are independent.</summary>
public enum RandomPurpose
{
    /// <summary>Initial weights; counter = (tensor number, element).</summary>
    Initialization = 1,

    /// <summary>
    /// Stochastic routing warmup; four numbers a block; counter = (step and layer, (global token x experts + expert) / 4).
    /// </summary>
    RoutingWarmup = 2,

    /// <summary>Sampling of generated tokens; counter = (sample, position).</summary>
    Sampling = 3,

    /// <summary>When and where samples of skipped steps are retried; counter = (sample, step).</summary>
    SampleRetry = 4,
}
