namespace Lingotto.Text;

/// <summary>The names under which text is left out or mended; docs/data.md explains each.</summary>
public static class Reasons
{
    /// <summary>A line that is neither UTF-8 nor Windows-1252 words; left out.</summary>
    public const string InvalidUtf8 = "invalid_utf8";

    /// <summary>A row of .jsonl that is no JSON object; left out.</summary>
    public const string InvalidJson = "invalid_json";

    /// <summary>A row of .jsonl without a string field <c>text</c>; left out.</summary>
    public const string MissingText = "missing_text";

    /// <summary>A row of .jsonl longer than 16 MiB; left out.</summary>
    public const string RowTooLong = "row_too_long";

    /// <summary>An .xml file that is not well-formed, or not the documentation of an assembly; left out from there on.</summary>
    public const string InvalidXml = "invalid_xml";

    /// <summary>Fewer than 16 letters and digits; left out.</summary>
    public const string TooShort = "too_short";

    /// <summary>Mostly punctuation and symbols; left out.</summary>
    public const string FewLetters = "few_letters";

    /// <summary>Words far longer than a language has: base64, minified code; left out.</summary>
    public const string LongWords = "long_words";

    /// <summary>Lines that repeat one another; left out.</summary>
    public const string RepeatedLines = "repeated_lines";

    /// <summary>Phrases that repeat one another; left out.</summary>
    public const string RepeatedPhrases = "repeated_phrases";

    /// <summary>Nearly every line is an item of a list; left out.</summary>
    public const string BulletLines = "bullet_lines";

    /// <summary>Many lines break off in an ellipsis; left out.</summary>
    public const string EllipsisLines = "ellipsis_lines";

    /// <summary>A language that was not asked for; left out.</summary>
    public const string OtherLanguage = "other_language";

    /// <summary>Equal to a document before it; left out.</summary>
    public const string ExactDuplicate = "exact_duplicate";

    /// <summary>Nearly equal to a document before it; left out.</summary>
    public const string NearDuplicate = "near_duplicate";

    /// <summary>A line in Windows-1252, decoded as that; mended.</summary>
    public const string LegacyEncoding = "legacy_encoding";

    /// <summary>UTF-8 that was once read as Windows-1252, read back; mended.</summary>
    public const string Mojibake = "mojibake";

    /// <summary>Control characters and invisible ones, removed; mended.</summary>
    public const string ControlCharacters = "control_characters";

    /// <summary>Lines that many documents of a source share, removed; mended.</summary>
    public const string Boilerplate = "boilerplate";
}
