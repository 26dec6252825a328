namespace Lingotto.Formats;

/// <summary>Numbers of bytes in messages, in the unit in which the figure shows.</summary>
public static class ByteText
{
    /// <summary>The number with one decimal in the largest unit that is not above it: 812 B, 3.4 KiB, 1.2 MiB, 5.0 GiB.</summary>
    public static string Of(long bytes) => bytes switch
    {
        >= 1L << 30 => FormattableString.Invariant($"{bytes / (double)(1L << 30):F1} GiB"),
        >= 1L << 20 => FormattableString.Invariant($"{bytes / (double)(1L << 20):F1} MiB"),
        >= 1L << 10 => FormattableString.Invariant($"{bytes / (double)(1L << 10):F1} KiB"),
        _ => FormattableString.Invariant($"{bytes} B"),
    };

    /// <summary>Two numbers that a message compares; in bytes where they would read the same.</summary>
    public static (string First, string Second) Of(long first, long second) =>
        first != second && Of(first) == Of(second)
            ? (FormattableString.Invariant($"{first:N0} B"), FormattableString.Invariant($"{second:N0} B")) : (Of(first), Of(second));
}
