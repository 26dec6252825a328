namespace Lingotto.Planning;

/// <summary>The claim that started the project: 1T tokens of Ling-Plus (arXiv 2503.05139 section 1.3).</summary>
public static class PublishedCost
{
    /// <summary>On the premium device D, yuan.</summary>
    public const double Premium = 6.35e6;

    /// <summary>On "a lower-specification hardware system", which is not named, yuan.</summary>
    public const double LowerSpecification = 5.08e6;

    /// <summary>Tokens.</summary>
    public const double Tokens = 1e12;

    /// <summary>The device of the first figure.</summary>
    public const string PremiumDevice = "ling-d";

    /// <summary>The devices that the second figure may be of.</summary>
    public static IReadOnlyList<string> LowerDevices { get; } = ["ling-a", "ling-b", "ling-c", "ling-e"];
}
