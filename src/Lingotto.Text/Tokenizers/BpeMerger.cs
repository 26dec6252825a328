namespace Lingotto.Text;

/// <summary>Merges the tokens of one piece: the adjacent pair of lowest rank, leftmost on ties, until no pair merges.</summary>
internal sealed class BpeMerger(MergeTable merges)
{
    // Beyond this length a heap is faster than a scan for the minimum; a run of a million letters stays linear in space and
    // n log n in time.
    private const int MaxScanned = 96;

    private readonly long[] _candidates = new long[MaxScanned];

    /// <summary>Merges in place and returns how many tokens are left at the front of <paramref name="ids"/>.</summary>
    public int Merge(Span<int> ids) => ids.Length <= MaxScanned ? MergeByScan(ids) : MergeByHeap(ids);

    internal int MergeByScan(Span<int> ids)
    {
        int count = ids.Length;
        Span<long> candidates = _candidates.AsSpan(0, count);
        for (int i = 0; i + 1 < count; i++)
        {
            candidates[i] = merges.Find(ids[i], ids[i + 1]);
        }

        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i < count - 1; i++)
            {
                if (candidates[i] < candidates[best])
                {
                    best = i;
                }
            }

            if (candidates[best] == MergeTable.None)
            {
                break;
            }

            ids[best] = MergeTable.MergedId(candidates[best]);
            ids[(best + 2)..count].CopyTo(ids[(best + 1)..]);
            candidates[(best + 1)..(count - 1)].CopyTo(candidates[best..]);
            count--;
            if (best > 0)
            {
                candidates[best - 1] = merges.Find(ids[best - 1], ids[best]);
            }

            if (best + 1 < count)
            {
                candidates[best] = merges.Find(ids[best], ids[best + 1]);
            }
        }

        return count;
    }

    /// <remarks>Tokens form a linked list; a heap entry is stale when the pair now at its place merges into something else.</remarks>
    internal int MergeByHeap(Span<int> ids)
    {
        const int dead = -1;
        var next = new int[ids.Length];
        var previous = new int[ids.Length];
        var heap = new PriorityQueue<int, (long Merge, int Position)>(ids.Length);
        for (int i = 0; i < ids.Length; i++)
        {
            next[i] = i + 1;
            previous[i] = i - 1;
            if (i + 1 < ids.Length)
            {
                Offer(ids, i, i + 1);
            }
        }

        while (heap.TryDequeue(out int left, out (long Merge, int Position) entry))
        {
            int right = ids[left] == dead ? ids.Length : next[left];
            if (right == ids.Length || merges.Find(ids[left], ids[right]) != entry.Merge)
            {
                continue;
            }

            ids[left] = MergeTable.MergedId(entry.Merge);
            ids[right] = dead;
            next[left] = next[right];
            if (next[left] < ids.Length)
            {
                previous[next[left]] = left;
                Offer(ids, left, next[left]);
            }

            if (previous[left] >= 0)
            {
                Offer(ids, previous[left], left);
            }
        }

        int count = 0;
        for (int i = 0; i < ids.Length; i = next[i])
        {
            ids[count++] = ids[i];
        }

        return count;

        void Offer(Span<int> tokens, int left, int right)
        {
            long merge = merges.Find(tokens[left], tokens[right]);
            if (merge != MergeTable.None)
            {
                heap.Enqueue(left, (merge, left));
            }
        }
    }
}
