namespace Lingotto.Planning;

/// <summary>Reports that a plan cannot be made from the given input. The message is one line: what is wrong, where, what to do.</summary>
public sealed class PlanException : Exception
{
    /// <summary>Creates the exception with a message and the fault that caused it.</summary>
    public PlanException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
