namespace Lingotto.Text;

/// <summary>The labels that documents get: ISO 639-1 codes, and one label each for code and for unknown text.</summary>
public static class Language
{
    /// <summary>Program code.</summary>
    public const string Code = "code";

    /// <summary>None that is known, or too little to tell.</summary>
    public const string Undetermined = "und";

    /// <summary>Every label there is.</summary>
    public static IReadOnlyList<string> All { get; } =
        ["ar", Code, "de", "el", "en", "es", "fr", "he", "it", "ja", "ko", "pt", "ru", Undetermined, "zh"];
}
