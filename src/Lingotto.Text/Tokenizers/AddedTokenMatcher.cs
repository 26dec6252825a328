using System.Buffers;
using System.Globalization;
using System.Text;

namespace Lingotto.Text;

/// <summary>Finds added tokens in text, leftmost first and the longest of those that start at one place.</summary>
internal sealed class AddedTokenMatcher
{
    // A trie over bytes: (node, byte) -> node; node 0 is the root.
    private readonly Dictionary<(int Node, byte Next), int> _edges = [];
    private readonly List<AddedToken?> _tokenAtNode = [null];
    private readonly SearchValues<byte> _firstBytes;

    public AddedTokenMatcher(IEnumerable<AddedToken> tokens)
    {
        var firstBytes = new HashSet<byte>();
        foreach (AddedToken token in tokens)
        {
            byte[] content = Encoding.UTF8.GetBytes(token.Content);
            if (content.Length == 0)
            {
                continue;
            }

            firstBytes.Add(content[0]);
            int node = 0;
            foreach (byte value in content)
            {
                node = Child(node, value);
            }

            _tokenAtNode[node] = token;
        }

        _firstBytes = SearchValues.Create(firstBytes.ToArray());
    }

    /// <summary>The first match at or after <paramref name="from"/>, with the whitespace its flags let it swallow.</summary>
    public bool TryFind(ReadOnlySpan<byte> utf8, int from, out AddedToken token, out int start, out int end)
    {
        for (start = from; start < utf8.Length; start++)
        {
            int skipped = utf8[start..].IndexOfAny(_firstBytes);
            if (skipped < 0)
            {
                break;
            }

            start += skipped;
            if (LongestAt(utf8, start) is not { } found)
            {
                continue;
            }

            token = found;
            end = start + Encoding.UTF8.GetByteCount(found.Content);
            if (found.SingleWord && (EndsInWord(utf8[..start]) || StartsWithWord(utf8[end..])))
            {
                start = end - 1;
                continue;
            }

            if (found.LStrip)
            {
                start = Math.Max(from, TrimEnd(utf8[..start]));
            }

            if (found.RStrip)
            {
                end = SkipSpace(utf8, end);
            }

            return true;
        }

        (token, start, end) = (null!, utf8.Length, utf8.Length);
        return false;
    }

    private int Child(int node, byte value)
    {
        if (!_edges.TryGetValue((node, value), out int child))
        {
            child = _tokenAtNode.Count;
            _tokenAtNode.Add(null);
            _edges.Add((node, value), child);
        }

        return child;
    }

    private AddedToken? LongestAt(ReadOnlySpan<byte> utf8, int start)
    {
        AddedToken? longest = null;
        int node = 0;
        for (int i = start; i < utf8.Length && _edges.TryGetValue((node, utf8[i]), out node); i++)
        {
            longest = _tokenAtNode[node] ?? longest;
        }

        return longest;
    }

    private static int TrimEnd(ReadOnlySpan<byte> utf8)
    {
        while (Rune.DecodeLastFromUtf8(utf8, out Rune rune, out int length) == OperationStatus.Done && Rune.IsWhiteSpace(rune))
        {
            utf8 = utf8[..^length];
        }

        return utf8.Length;
    }

    private static int SkipSpace(ReadOnlySpan<byte> utf8, int position)
    {
        while (Rune.DecodeFromUtf8(utf8[position..], out Rune rune, out int length) == OperationStatus.Done && Rune.IsWhiteSpace(rune))
        {
            position += length;
        }

        return position;
    }

    private static bool EndsInWord(ReadOnlySpan<byte> utf8) =>
        Rune.DecodeLastFromUtf8(utf8, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    private static bool StartsWithWord(ReadOnlySpan<byte> utf8) =>
        Rune.DecodeFromUtf8(utf8, out Rune rune, out _) == OperationStatus.Done && IsWord(rune);

    // \w of Unicode: letters, marks, decimal digits and connectors.
    private static bool IsWord(Rune rune) => Rune.IsLetter(rune) || Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation;
}
