using System.Text;

namespace Lingotto.Text;

/// <summary>Finds lines that many documents of one source share: menus, notices, footers.</summary>
/// <remarks>
/// A line is remembered in a table of fixed size: sets of four places, of which the least counted one gives way. A place holds
/// 44 bits of the hash, of which the set's number says the other 20; 16 bits of the number of the last document that had the line,
/// so that one that repeats it counts once; and in 4 bits how many documents had it. Order of documents decides, threads do not.
/// </remarks>
internal sealed class BoilerplateLines
{
    /// <summary>Shorter lines are verses, headings, braces; they may well repeat. UTF-16 units.</summary>
    public const int ShortestLine = 40;

    /// <summary>So many documents keep a line; the next ones lose it.</summary>
    public const int DocumentsKept = 10;

    private const int SetBits = 20;
    private const int PlacesInSet = 4;
    private const int CountBits = 4;
    private const ulong MostCounted = (1 << CountBits) - 1;
    private const ulong DocumentMask = 0xFFFFUL << CountBits;

    private readonly ulong[] _places = new ulong[PlacesInSet << SetBits];
    private ulong _document;

    /// <summary>Bytes of the table.</summary>
    public const long MemoryBytes = (sizeof(ulong) * (long)PlacesInSet) << SetBits;

    /// <summary>The hashes of a text's lines, 0 for those too short to count; null when all are.</summary>
    public static ulong[]? HashLines(string text, ulong source)
    {
        if (text.Length < ShortestLine)
        {
            return null;
        }

        List<ulong>? hashes = null;
        int number = 0;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            ReadOnlySpan<char> line = text.AsSpan(range).Trim();
            if (line.Length >= ShortestLine)
            {
                hashes ??= [];
                while (hashes.Count < number)
                {
                    hashes.Add(0);
                }

                hashes.Add(Math.Max(1, TextHash.Quick(line, source)));
            }

            number++;
        }

        return hashes?.ToArray();
    }

    /// <summary>Counts a document's lines and returns it without those that were boilerplate before; null when nothing goes.</summary>
    public string? Remove(string text, ulong[] lineHashes)
    {
        _document += 1UL << CountBits;
        List<int>? removed = null;
        for (int i = 0; i < lineHashes.Length; i++)
        {
            if (lineHashes[i] != 0 && Count(lineHashes[i]) > DocumentsKept)
            {
                (removed ??= []).Add(i);
            }
        }

        return removed is null ? null : Without(text, removed);
    }

    /// <summary>How many documents had the line, this one included; no more than 15.</summary>
    private ulong Count(ulong hash)
    {
        Span<ulong> set = _places.AsSpan((int)(hash >> (64 - SetBits)) * PlacesInSet, PlacesInSet);
        ulong tag = hash << SetBits, document = _document & DocumentMask;
        int least = 0;
        for (int i = 0; i < set.Length; i++)
        {
            ulong count = set[i] & MostCounted;
            if ((set[i] & ~(DocumentMask | MostCounted)) == tag && count > 0)
            {
                if ((set[i] & DocumentMask) != document)
                {
                    count = Math.Min(count + 1, MostCounted);
                }

                set[i] = tag | document | count;
                return count;
            }

            if (count < (set[least] & MostCounted))
            {
                least = i;
            }
        }

        set[least] = tag | document | 1;
        return 1;
    }

    private static string Without(string text, List<int> removed)
    {
        var kept = new StringBuilder(text.Length);
        int number = 0, next = 0;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            if (next < removed.Count && removed[next] == number++)
            {
                next++;
                continue;
            }

            kept.Append(text.AsSpan(range)).Append('\n');
        }

        return kept.ToString().Trim('\n');
    }
}
