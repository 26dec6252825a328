namespace Lingotto.Formats;

/// <summary>The score of an expert group in group-limited routing.</summary>
public enum GroupScoreKind
{
    /// <summary>The best selection score in the group.</summary>
    Max,

    /// <summary>The sum of the two best selection scores in the group.</summary>
    Top2Sum,
}
