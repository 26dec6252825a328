namespace Lingotto.Runs;

/// <summary>A recipe that cannot be used. The message is one line that lists every fault: place, key and remedy.</summary>
public sealed class RecipeException(IReadOnlyList<string> faults) : Exception(string.Join("; ", faults))
{
    /// <summary>The faults, one a string.</summary>
    public IReadOnlyList<string> Faults { get; } = faults;
}
