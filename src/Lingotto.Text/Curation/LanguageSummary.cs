namespace Lingotto.Text;

/// <summary>What a data folder holds of one language.</summary>
/// <param name="Language">One of <see cref="Lingotto.Text.Language.All"/>.</param>
/// <param name="Documents">Documents kept.</param>
/// <param name="Tokens">Their tokens, without the ones that end documents.</param>
/// <param name="Utf8Bytes">Bytes of their text.</param>
public sealed record LanguageSummary(string Language, long Documents, long Tokens, long Utf8Bytes);
