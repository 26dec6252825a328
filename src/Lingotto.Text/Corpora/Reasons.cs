namespace Lingotto.Text;

/// <summary>The names of the reasons for which text is left out or repaired; docs/data.md explains each.</summary>
public static class Reasons
{
    /// <summary>A line that is neither UTF-8 nor Windows-1252 words; left out.</summary>
    public const string InvalidUtf8 = "invalid_utf8";

    /// <summary>A row of .jsonl that is not a JSON object; left out.</summary>
    public const string InvalidJson = "invalid_json";

    /// <summary>A row of .jsonl without a string field <c>text</c>; left out.</summary>
    public const string MissingText = "missing_text";

    /// <summary>A row of .jsonl longer than 16 MiB; left out.</summary>
    public const string RowTooLong = "row_too_long";

    /// <summary>A .csv file with a quote that is never closed; left out from there on.</summary>
    public const string InvalidCsv = "invalid_csv";

    /// <summary>An .xml file that is not well-formed, or not the documentation of an assembly; left out from there on.</summary>
    public const string InvalidXml = "invalid_xml";

    /// <summary>A file in a format that is not read; left out.</summary>
    public const string OtherFormat = "other_format";

    /// <summary>A file without a byte; left out.</summary>
    public const string EmptyFile = "empty_file";

    /// <summary>A pipe, a socket or a device; left out.</summary>
    public const string SpecialFile = "special_file";

    /// <summary>A second name of a file or folder that is read under another name; left out.</summary>
    public const string RepeatedLink = "repeated_link";

    /// <summary>A link that points to nothing or to itself; left out.</summary>
    public const string DanglingLink = "dangling_link";

    /// <summary>A file whose name is not UTF-8; left out.</summary>
    public const string InvalidName = "invalid_name";

    /// <summary>A file or folder that cannot be opened or listed; left out.</summary>
    public const string UnreadableFile = "unreadable_file";

    /// <summary>A file that grew while it was read; the bytes it had at the beginning were read.</summary>
    public const string GrowingFile = "growing_file";

    /// <summary>A file that became shorter while it was read; left out from there on.</summary>
    public const string ShrunkFile = "shrunk_file";

    /// <summary>A .gz file that is damaged or cut off; left out from there on.</summary>
    public const string DamagedGzip = "damaged_gzip";

    /// <summary>A .gz file that expands far more than text does; left out from there on.</summary>
    public const string GzipBomb = "gzip_bomb";

    /// <summary>A .parquet file that is damaged; left out from there on.</summary>
    public const string DamagedParquet = "damaged_parquet";

    /// <summary>Half of a surrogate pair in a JSON row, read as U+FFFD; repaired.</summary>
    public const string LoneSurrogate = "lone_surrogate";

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

    /// <summary>A line in Windows-1252, decoded as that; repaired.</summary>
    public const string LegacyEncoding = "legacy_encoding";

    /// <summary>UTF-8 that was once decoded as Windows-1252, or Windows-1252 once decoded as Latin-1; repaired.</summary>
    public const string Mojibake = "mojibake";

    /// <summary>Control characters and invisible ones, removed; repaired.</summary>
    public const string ControlCharacters = "control_characters";

    /// <summary>Lines that many documents of a source share, removed; repaired.</summary>
    public const string Boilerplate = "boilerplate";
}
