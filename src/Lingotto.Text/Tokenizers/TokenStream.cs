using System.Text;

namespace Lingotto.Text;

/// <summary>Decodes tokens as they arrive: text appears as soon as its UTF-8 is complete.</summary>
/// <remarks>The strings returned, concatenated, equal <see cref="Tokenizer.Decode"/> of all ids. Not for several threads.</remarks>
public sealed class TokenStream(Tokenizer tokenizer, bool skipSpecial = true)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that this token completes; empty while a character is incomplete.</summary>
    public string Append(int id) => skipSpecial && tokenizer.IsSpecial(id) ? "" : Decode(tokenizer.TokenBytes(id), flush: false);

    /// <summary>What is left at the end: U+FFFD for a character that was never completed.</summary>
    public string Flush() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var characters = new char[_decoder.GetCharCount(bytes, flush)];
        _decoder.GetChars(bytes, characters, flush);
        return new string(characters);
    }
}
