using System.Numerics;

namespace Lingotto.Text;

/// <summary>A keyed permutation of 0 .. count-1, different in every epoch, computed for one index at a time.</summary>
/// <remarks>
/// A Feistel network of four rounds permutes the smallest even power of two that holds the count; results beyond the count are
/// permuted again (cycle walking), which gives a permutation. There is no table and no state, so that a run resumes from its
/// sample index alone.
/// </remarks>
internal readonly struct SampleOrder
{
    private const int Rounds = 4;

    private readonly ulong _count;
    private readonly ulong _key;
    private readonly int _halfBits;

    public SampleOrder(long count, ulong seed, long epoch)
    {
        _count = (ulong)count;
        _key = HashMixer.Mix(seed ^ HashMixer.Mix((ulong)epoch));
        int bits = 64 - BitOperations.LeadingZeroCount((ulong)Math.Max(1, count - 1));
        _halfBits = (bits + 1) / 2;
    }

    public long this[long index]
    {
        get
        {
            ulong value = (ulong)index;
            do
            {
                value = Permute(value);
            }
            while (value >= _count);
            return (long)value;
        }
    }

    private ulong Permute(ulong value)
    {
        ulong mask = (1UL << _halfBits) - 1;
        ulong left = value >> _halfBits, right = value & mask;
        for (ulong round = 0; round < Rounds; round++)
        {
            (left, right) = (right, left ^ (HashMixer.Mix(_key + (round << 32) + right) & mask));
        }

        return (left << _halfBits) | right;
    }
}
