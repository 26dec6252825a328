namespace Lingotto.Formats;

/// <summary>What replaces the selection scores of the groups not kept; the two differ only when biased scores are negative.</summary>
public enum GroupMaskKind
{
    /// <summary>Zero.</summary>
    Zero,

    /// <summary>Negative infinity: an expert of a dropped group can never win.</summary>
    NegativeInfinity,
}
