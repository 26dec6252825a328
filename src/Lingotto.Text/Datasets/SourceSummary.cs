namespace Lingotto.Text;

/// <summary>The figures of one source of a data folder.</summary>
public sealed record SourceSummary
{
    /// <summary>The name of the source in the mixture.</summary>
    public required string Name { get; init; }

    /// <summary>The quality of the source, 1 the best.</summary>
    public required int Tier { get; init; }

    /// <summary>The weight in the mixture; null for the default of tokens and tier.</summary>
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

    /// <summary>The reasons for which text was left out or repaired.</summary>
    public required IReadOnlyList<ReasonCount> Reasons { get; init; }
}
