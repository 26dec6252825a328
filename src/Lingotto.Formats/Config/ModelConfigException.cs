namespace Lingotto.Formats;

/// <summary>A config.json that cannot be used. The message is one line that names every fault: key, value and remedy.</summary>
public sealed class ModelConfigException : Exception
{
    /// <summary>Creates the exception from the place and the faults found there.</summary>
    public ModelConfigException(string source, IReadOnlyList<string> faults, Exception? inner = null)
        : base($"{source}: {string.Join("; ", faults)}", inner) => Faults = faults;

    /// <summary>The faults, one a string.</summary>
    public IReadOnlyList<string> Faults { get; }
}
