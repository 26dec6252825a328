using System.Globalization;

namespace Lingotto.Reporting;

/// <summary>
/// Formats numbers for readers, independent of the culture of the machine. The unit follows the size, so that no figure is rounded to zero.
/// </summary>
public static class NumberText
{
    private const string Absent = "\u2013";

    /// <summary>Formats a number with four significant digits: 0.001234, 12.34, 1,234; a dash if it is not finite.</summary>
    public static string Of(double value)
    {
        double size = Math.Abs(value);
        return !double.IsFinite(value) ? Absent
            : value == 0 ? "0"
            : size >= 1e15 || size < 1e-4 ? value.ToString("0.###e+0", CultureInfo.InvariantCulture)
            : size >= 1000 ? value.ToString("N0", CultureInfo.InvariantCulture)
            : value.ToString(
                size >= 100 ? "0.#" : size >= 10 ? "0.##" : size >= 1 ? "0.###" : size >= 0.01 ? "0.####" : "0.######",
                CultureInfo.InvariantCulture);
    }

    /// <summary>Formats a number as <see cref="Of"/>; a dash for null.</summary>
    public static string OrDash(double? value) => value is { } known ? Of(known) : Absent;

    /// <summary>Formats a count: 0.25, 1,234, 12.3K, 4.5M, 6.7B, 8.9T.</summary>
    public static string Short(double count) => Math.Abs(count) switch
    {
        >= 1e12 => Invariant($"{count / 1e12:0.##}T"),
        >= 1e9 => Invariant($"{count / 1e9:0.##}B"),
        >= 1e6 => Invariant($"{count / 1e6:0.##}M"),
        >= 1e4 => Invariant($"{count / 1e3:0.#}K"),
        < 10 => Digits(count, 3),
        _ => double.IsFinite(count) ? Invariant($"{count:N0}") : Absent,
    };

    /// <summary>Formats bytes in B, KiB, MiB or GiB.</summary>
    public static string Bytes(double bytes) => bytes switch
    {
        >= 1L << 30 => Invariant($"{bytes / (1L << 30):F1} GiB"),
        >= 1L << 20 => Invariant($"{bytes / (1L << 20):F1} MiB"),
        >= 1L << 10 => Invariant($"{bytes / (1L << 10):F1} KiB"),
        _ => double.IsFinite(bytes) ? Invariant($"{bytes:F0} B") : Absent,
    };

    /// <summary>Formats bytes in decimal units with three significant digits: 512 B, 1.2 MB, 80 GB, 1.5 TB.</summary>
    public static string DecimalBytes(double bytes) => Scaled(bytes, 3, ["B", "KB", "MB", "GB", "TB", "PB"]);

    /// <summary>Formats FLOPs with four significant digits: 16.4 MFLOP, 181.6 GFLOP, 1.5 TFLOP.</summary>
    public static string Flops(double flops) => Scaled(flops, 4, ["FLOP", "KFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"]);

    /// <summary>Formats a number with a given number of significant digits; a dash if it is not finite.</summary>
    public static string Digits(double value, int digits)
    {
        if (!double.IsFinite(value) || value == 0)
        {
            return value == 0 ? "0" : Absent;
        }

        int decimals = digits - 1 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return decimals <= 0 ? value.ToString("N0", CultureInfo.InvariantCulture)
            : decimals > digits + 4 ? value.ToString("0.##e+0", CultureInfo.InvariantCulture)
            : value.ToString("0." + new string('#', decimals), CultureInfo.InvariantCulture);
    }

    /// <summary>Formats seconds with four significant digits: 3.2 us, 4.1 ms, 0.25 s, 162.7 s.</summary>
    public static string Seconds(double seconds) => seconds is > 0 and < 1e-5 ? $"{Digits(1e6 * seconds, 4)} us"
        : seconds is > 0 and < 0.01 ? $"{Digits(1e3 * seconds, 4)} ms" : $"{Digits(seconds, 4)} s";

    /// <summary>Formats a duration: 3.2 us, 4.1 ms, 0.25 s, 12 s, 3 min 12 s, 2 h 05 min, 3 d 4 h.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds >= TimeSpan.MaxValue.TotalSeconds)
        {
            return Absent;
        }

        if (seconds is > 0 and < 0.01)
        {
            return seconds < 1e-5 ? $"{Digits(1e6 * seconds, 3)} us" : $"{Digits(1e3 * seconds, 3)} ms";
        }

        if (seconds < 9.95)
        {
            return Invariant($"{Math.Max(0, seconds):0.##} s");
        }

        var time = TimeSpan.FromSeconds(Math.Round(seconds));
        return time.TotalDays >= 1 ? Invariant($"{(int)time.TotalDays} d {time.Hours} h")
            : time.TotalHours >= 1 ? Invariant($"{time.Hours} h {time.Minutes:D2} min")
            : time.TotalMinutes >= 1 ? Invariant($"{time.Minutes} min {time.Seconds:D2} s")
            : Invariant($"{time.Seconds} s");
    }

    /// <summary>Formats a share as percent: 12.3 %.</summary>
    public static string Percent(double share) => double.IsFinite(share) ? Invariant($"{100 * share:0.0} %") : Absent;

    /// <summary>Formats an amount with its currency: no decimals from a thousand, cents below, significant digits below one.</summary>
    public static string Money(double amount, string currency) => Math.Abs(amount) switch
    {
        >= 1000 => Invariant($"{amount:N0} {currency}"),
        >= 1 or 0 => Invariant($"{amount:0.00} {currency}"),
        >= 0.01 => Invariant($"{amount:0.00##} {currency}"),
        _ => $"{Digits(amount, 3)} {currency}",
    };

    /// <summary>Formats an energy: 12,345 kWh, 1.23 kWh, 0.5 Wh.</summary>
    public static string Energy(double kilowattHours) => kilowattHours >= 1 ? $"{Of(kilowattHours)} kWh"
        : kilowattHours >= 0.01 || kilowattHours == 0 ? Invariant($"{kilowattHours:0.####} kWh") : $"{Digits(1e3 * kilowattHours, 3)} Wh";

    private static string Scaled(double value, int digits, ReadOnlySpan<string> units)
    {
        int unit = 0;
        for (; Math.Abs(value) >= 999.5 && unit < units.Length - 1; unit++)
        {
            value /= 1000;
        }

        return $"{Digits(value, digits)} {units[unit]}";
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
