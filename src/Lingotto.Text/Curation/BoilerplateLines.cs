using System.Text;

namespace Lingotto.Text;

/// <summary>Finds lines that many documents of one source share: menus, notices, footers.</summary>
/// <remarks>
/// A line is remembered in a table of fixed size: sets of four places, of which the one with the smallest count is replaced. A place holds
/// 44 bits of the hash, the number of the set gives the other 20; 16 bits of the number of the last document that had the line,
/// so that a document that repeats the line counts once; and 4 bits with the number of documents. The result depends on the order
/// of the documents and not on threads.
/// </remarks>
internal sealed class BoilerplateLines
{
    /// <summary>Shorter lines are never boilerplate: verses, headings and braces repeat. UTF-16 units.</summary>
    public const int ShortestLine = 40;

    /// <summary>The number of documents that keep a line; later documents lose the line.</summary>
    public const int DocumentsKept = 10;

    private const int SetBits = 20;
    private const int PlacesInSet = 4;
    private const int CountBits = 4;
    private const ulong MaxCounted = (1 << CountBits) - 1;
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

    /// <summary>Counts the lines of a document and returns the text without boilerplate lines; null when no line is removed.</summary>
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

    /// <summary>Returns the number of documents with the line, this document included; at most 15.</summary>
    private ulong Count(ulong hash)
    {
        Span<ulong> set = _places.AsSpan((int)(hash >> (64 - SetBits)) * PlacesInSet, PlacesInSet);
        ulong tag = hash << SetBits, document = _document & DocumentMask;
        int least = 0;
        for (int i = 0; i < set.Length; i++)
        {
            ulong count = set[i] & MaxCounted;
            if ((set[i] & ~(DocumentMask | MaxCounted)) == tag && count > 0)
            {
                if ((set[i] & DocumentMask) != document)
                {
                    count = Math.Min(count + 1, MaxCounted);
                }

                set[i] = tag | document | count;
                return count;
            }

            if (count < (set[least] & MaxCounted))
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
