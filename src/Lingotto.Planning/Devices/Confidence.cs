using System.Text.Json.Serialization;

namespace Lingotto.Planning;

/// <summary>How reliable a figure of the catalogue is.</summary>
public enum Confidence
{
    /// <summary>No source publishes the figure.</summary>
    [JsonStringEnumMemberName("unknown")]
    Unknown,

    /// <summary>Inferred, computed, or disputed between sources.</summary>
    [JsonStringEnumMemberName("low")]
    Low,

    /// <summary>One source, or sources that nearly agree.</summary>
    [JsonStringEnumMemberName("medium")]
    Medium,

    /// <summary>Stated by the maker or by several independent sources.</summary>
    [JsonStringEnumMemberName("high")]
    High,
}
