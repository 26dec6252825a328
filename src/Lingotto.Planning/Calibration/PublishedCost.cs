namespace Lingotto.Planning;

/// <summary>The published cost of training Ling-Plus on 1T tokens (arXiv 2503.05139 section 1.3).</summary>
public static class PublishedCost
{
    /// <summary>Cost on the premium device D, yuan.</summary>
    public const double Premium = 6.35e6;

    /// <summary>Cost on "a lower-specification hardware system", which is not named, yuan.</summary>
    public const double LowerSpecification = 5.08e6;

    /// <summary>Tokens of the run.</summary>
    public const double Tokens = 1e12;

    /// <summary>The device of the first cost.</summary>
    public const string PremiumDevice = "ling-d";

    /// <summary>The devices that the second cost may refer to.</summary>
    public static IReadOnlyList<string> LowerDevices { get; } = ["ling-a", "ling-b", "ling-c", "ling-e"];
}
