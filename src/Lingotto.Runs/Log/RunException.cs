namespace Lingotto.Runs;

/// <summary>A run that cannot start or go on. The message is one line: what, where, remedy.</summary>
public sealed class RunException(string message, Exception? inner = null) : Exception(message, inner);
