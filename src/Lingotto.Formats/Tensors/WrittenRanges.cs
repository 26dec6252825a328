namespace Lingotto.Formats;

/// <summary>Which bytes of [0, length) have been written, each at most once.</summary>
internal sealed class WrittenRanges(long length)
{
    // Begin to end, disjoint and never adjacent: one range once everything is written.
    private readonly SortedList<long, long> _ranges = [];

    public bool IsComplete => length == 0 || (_ranges.Count == 1 && _ranges.TryGetValue(0, out long end) && end == length);

    public long Missing => length - _ranges.Sum(range => range.Value - range.Key);

    /// <summary>Adds [begin, begin + count); false when it leaves the whole or meets a range written before.</summary>
    public bool TryAdd(long begin, long count)
    {
        if (begin < 0 || begin > length - count)
        {
            return false;
        }

        if (count == 0)
        {
            return true;
        }

        long end = begin + count;
        int next = 0;
        while (next < _ranges.Count && _ranges.GetKeyAtIndex(next) < begin)
        {
            next++;
        }

        if (next > 0 && _ranges.GetValueAtIndex(next - 1) > begin)
        {
            return false;
        }

        if (next < _ranges.Count && _ranges.GetKeyAtIndex(next) < end)
        {
            return false;
        }

        if (next < _ranges.Count && _ranges.GetKeyAtIndex(next) == end)
        {
            end = _ranges.GetValueAtIndex(next);
            _ranges.RemoveAt(next);
        }

        if (next > 0 && _ranges.GetValueAtIndex(next - 1) == begin)
        {
            _ranges.SetValueAtIndex(next - 1, end);
        }
        else
        {
            _ranges.Add(begin, end);
        }

        return true;
    }
}
