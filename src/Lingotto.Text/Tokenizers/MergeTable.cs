namespace Lingotto.Text;

/// <summary>(left id, right id) -> rank and merged id; an open-addressing table keyed by the pair in one long.</summary>
/// <remarks>A merge is returned as rank in the upper and id in the lower half, so that the smaller value is the earlier merge.</remarks>
internal sealed class MergeTable
{
    public const long None = long.MaxValue;

    private const long Empty = -1;

    private readonly (long Pair, long Merge)[] _slots;
    private readonly int _shift;

    public MergeTable(ReadOnlySpan<(int Left, int Right, int Merged)> mergesByRank)
    {
        int bits = 4;
        while ((1L << bits) < 2L * mergesByRank.Length)
        {
            bits++;
        }

        _slots = new (long, long)[1 << bits];
        _shift = 64 - bits;
        Array.Fill(_slots, (Empty, None));
        for (int rank = 0; rank < mergesByRank.Length; rank++)
        {
            (int left, int right, int merged) = mergesByRank[rank];
            long pair = Pack(left, right);
            _slots[SlotOf(pair)] = (pair, ((long)rank << 32) | (uint)merged);
        }
    }

    /// <summary>The merge of two adjacent tokens, or <see cref="None"/>.</summary>
    public long Find(int left, int right) => _slots[SlotOf(Pack(left, right))].Merge;

    public static int MergedId(long merge) => (int)merge;

    private static long Pack(int left, int right) => ((long)left << 32) | (uint)right;

    private int SlotOf(long pair)
    {
        (long Pair, long Merge)[] slots = _slots;
        int slot = (int)(((ulong)pair * 0x9E3779B97F4A7C15) >> _shift);
        while (slots[slot].Pair != pair && slots[slot].Pair != Empty)
        {
            slot = (slot + 1) & (slots.Length - 1);
        }

        return slot;
    }
}
