namespace Lingotto.Text;

/// <summary>What a data folder holds of one source, and what was left out of it.</summary>
public sealed record SourceSummary
{
    /// <summary>Its name in the mixture.</summary>
    public required string Name { get; init; }

    /// <summary>Its quality, 1 the best.</summary>
    public required int Tier { get; init; }

    /// <summary>Its weight in the mixture; null when its tokens and tier decide.</summary>
    public required double? Weight { get; init; }

    /// <summary>The files of the source by what became of them; null in a folder that an earlier release built.</summary>
    public FileTotals? Files { get; init; }

    /// <summary>Documents read.</summary>
    public required long ReadDocuments { get; init; }

    /// <summary>Bytes of text read.</summary>
    public required long ReadBytes { get; init; }

    /// <summary>The token of the training split with which the source begins.</summary>
    public required long TrainStart { get; init; }

    /// <summary>Tokens of the training split, with one end-of-text for each document.</summary>
    public required long TrainTokens { get; init; }

    /// <summary>Documents of the training split.</summary>
    public required long TrainDocuments { get; init; }

    /// <summary>The token of the held-out split with which the source begins.</summary>
    public required long HeldOutStart { get; init; }

    /// <summary>Tokens of the held-out split, with one end-of-text for each document.</summary>
    public required long HeldOutTokens { get; init; }

    /// <summary>Documents of the held-out split.</summary>
    public required long HeldOutDocuments { get; init; }

    /// <summary>Documents kept, by language.</summary>
    public required IReadOnlyList<LanguageSummary> Languages { get; init; }

    /// <summary>Why text was left out or mended.</summary>
    public required IReadOnlyList<ReasonCount> Reasons { get; init; }
}
