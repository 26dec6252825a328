namespace Lingotto.Cli;

/// <summary>A command line that cannot be carried out as it stands. One line with the remedy.</summary>
internal sealed class UsageException(string message) : Exception(message);
