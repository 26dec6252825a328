using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Text;

/// <summary>The figures of a text, before and after the rules.</summary>
public sealed record CorpusSummary
{
    /// <summary>The files by what became of them.</summary>
    public required FileTotals Files { get; init; }

    /// <summary>Documents read.</summary>
    public required long ReadDocuments { get; init; }

    /// <summary>UTF-8 bytes read.</summary>
    public required long ReadBytes { get; init; }

    /// <summary>Documents that building would keep.</summary>
    public required long KeptDocuments { get; init; }

    /// <summary>Bytes of the documents that building would keep.</summary>
    public required long KeptBytes { get; init; }

    /// <summary>Bytes of the longest document that building would keep.</summary>
    public required long LongestBytes { get; init; }

    /// <summary>Members of .NET documentation that repeat another.</summary>
    public required long DuplicateMembers { get; init; }

    /// <summary>Kept documents by language, most bytes first; tokens are not counted.</summary>
    public required IReadOnlyList<LanguageSummary> Languages { get; init; }

    /// <summary>The reasons for which text would be left out or repaired, most frequent first.</summary>
    public required IReadOnlyList<ReasonCount> Reasons { get; init; }

    /// <summary>The beginning of the first kept document.</summary>
    public required string Example { get; init; }

    /// <summary>The figures as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, CorpusSummaryJson.Default.CorpusSummary);
}

[JsonSerializable(typeof(CorpusSummary))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class CorpusSummaryJson : JsonSerializerContext;
