using System.Text.Json.Serialization;

namespace Lingotto.Planning;

/// <summary>How far a figure of the catalogue is trusted.</summary>
public enum Confidence
{
    /// <summary>Nobody published it.</summary>
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
