namespace Lingotto.Text;

/// <summary>A token found in raw text before any other rule, with the flags of tokenizer.json.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">The text looked for.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="LStrip">Swallows whitespace before it.</param>
/// <param name="RStrip">Swallows whitespace after it.</param>
/// <param name="Normalized">Looked for after, instead of before, the tokens that are not normalized.</param>
/// <param name="Special">Left out when decoding.</param>
internal sealed record AddedToken(
    int Id, string Content, bool SingleWord = false, bool LStrip = false, bool RStrip = false, bool Normalized = false, bool Special = true);
