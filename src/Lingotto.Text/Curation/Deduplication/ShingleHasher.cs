namespace Lingotto.Text;

/// <summary>The word 5-grams of a text as 32-bit hashes. Not for several threads.</summary>
/// <remarks>
/// A word is a run of letters and digits in lower case; a character of a script without spaces (Han, kana, Thai) is a word of
/// its own. Punctuation and white space do not count. A text of fewer than five words is one shingle.
/// </remarks>
internal sealed class ShingleHasher
{
    /// <summary>Words of a shingle.</summary>
    public const int Words = 5;

    private const ulong Multiplier = 0x9FB21C651E98DF25;
    private static readonly ulong s_leaving = Power(Multiplier, Words);

    private readonly ulong[] _window = new ulong[Words];
    private uint[] _hashes = new uint[1 << 12];
    private int _count;
    private int _words;
    private ulong _rolling;

    /// <summary>The hashes in the order of the text, repeats included; valid until the next call. Empty for a text without words.</summary>
    public ReadOnlySpan<uint> Hash(ReadOnlySpan<char> text)
    {
        (_count, _words, _rolling) = (0, 0, 0);
        Array.Clear(_window);
        if (_hashes.Length < text.Length)
        {
            _hashes = new uint[Math.Max(text.Length, 2 * _hashes.Length)];
        }

        ulong word = 0;
        foreach (char c in text)
        {
            if (c < 0x80)
            {
                if (char.IsAsciiLetterOrDigit(c))
                {
                    word = Next(word, char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c);
                }
                else
                {
                    EndWord(ref word);
                }
            }
            else if (!char.IsLetterOrDigit(c) && !char.IsSurrogate(c))
            {
                EndWord(ref word);
            }
            else
            {
                bool isWordItself = IsWordItself(c);
                if (isWordItself)
                {
                    EndWord(ref word);
                }

                word = Next(word, isWordItself ? c : char.ToLowerInvariant(c));
                if (isWordItself)
                {
                    EndWord(ref word);
                }
            }
        }

        EndWord(ref word);
        if (_words is > 0 and < Words)
        {
            Add();
        }

        return _hashes.AsSpan(0, _count);
    }

    private static bool IsWordItself(char c) =>
        c is >= '\u3041' and <= '\u9FFF' or >= '\u0E00' and <= '\u0EFF' or >= '\uF900' and <= '\uFAFF';

    private static ulong Next(ulong word, char c) => ((word + 1) * 0x9E3779B97F4A7C15) ^ c;

    private void EndWord(ref ulong word)
    {
        if (word == 0)
        {
            return;
        }

        ulong hash = HashMixer.Mix(word);
        int at = _words % Words;
        _rolling = (_rolling * Multiplier) + hash - (_window[at] * s_leaving);
        _window[at] = hash;
        word = 0;
        if (++_words >= Words)
        {
            Add();
        }
    }

    private void Add() => _hashes[_count++] = (uint)(HashMixer.Mix(_rolling) >> 32);

    private static ulong Power(ulong value, int exponent)
    {
        ulong power = 1;
        for (int i = 0; i < exponent; i++)
        {
            power *= value;
        }

        return power;
    }
}
