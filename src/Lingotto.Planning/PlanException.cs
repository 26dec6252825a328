namespace Lingotto.Planning;

/// <summary>A plan that cannot be made from what was given. The message is one line: what, where, remedy.</summary>
public sealed class PlanException : Exception
{
    /// <summary>Creates the exception.</summary>
    public PlanException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
