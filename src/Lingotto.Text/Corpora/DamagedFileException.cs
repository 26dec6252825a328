namespace Lingotto.Text;

/// <summary>A place of a file beyond which nothing can be read; what was read before the place is sound.</summary>
internal sealed class DamagedFileException(string reason, string cause, Exception? inner = null) : Exception(cause, inner)
{
    /// <summary>One of <see cref="Reasons"/>.</summary>
    public string Reason { get; } = reason;
}
