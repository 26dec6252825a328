using System.Globalization;

namespace Lingotto.Cli;

/// <summary>Numbers as people read them.</summary>
internal static class Figures
{
    private const double Ki = 1024;

    public static string Bytes(double bytes) => bytes switch
    {
        >= Ki * Ki * Ki => Invariant($"{bytes / (Ki * Ki * Ki):F1} GiB"),
        >= Ki * Ki => Invariant($"{bytes / (Ki * Ki):F1} MiB"),
        >= Ki => Invariant($"{bytes / Ki:F1} KiB"),
        _ => Invariant($"{bytes:F0} B"),
    };

    /// <summary>13.2M, 41.5K, 812, 0.27.</summary>
    public static string Short(double count) => count switch
    {
        >= 1e12 => Invariant($"{count / 1e12:F1}T"),
        >= 1e9 => Invariant($"{count / 1e9:F1}B"),
        >= 1e6 => Invariant($"{count / 1e6:F1}M"),
        >= 1e4 => Invariant($"{count / 1e3:F1}K"),
        >= 10 => Invariant($"{count:F0}"),
        _ => Invariant($"{count:0.##}"),
    };

    /// <summary>Days: 45, 3.2, 0.04.</summary>
    public static string Days(double days) =>
        days >= 10 ? Invariant($"{days:F0}") : days >= 1 ? Invariant($"{days:0.##}") : Invariant($"{days:G2}");

    /// <summary>12s, 3m12s, 2h05m, 3d04h.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds >= TimeSpan.MaxValue.TotalSeconds)
        {
            return "?";
        }
        var time = TimeSpan.FromSeconds(Math.Round(Math.Max(0, seconds)));
        return time.TotalDays >= 1 ? Invariant($"{(int)time.TotalDays}d{time.Hours:D2}h")
            : time.TotalHours >= 1 ? Invariant($"{time.Hours}h{time.Minutes:D2}m")
            : time.TotalMinutes >= 1 ? Invariant($"{time.Minutes}m{time.Seconds:D2}s")
            : Invariant($"{time.Seconds}s");
    }

    /// <summary>Reads 90s, 15m, 2h, 1d and sums such as 1h30m.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        double seconds = 0;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        duration = default;
        while (!rest.IsEmpty)
        {
            int unit = rest.IndexOfAny("smhd");
            if (unit <= 0 || !double.TryParse(rest[..unit], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture,
                out double number))
            {
                return false;
            }
            seconds += number * rest[unit] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 86400 };
            rest = rest[(unit + 1)..];
        }

        if (seconds is <= 0 or > 3e9)
        {
            return false;
        }
        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
