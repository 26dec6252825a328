using System.Globalization;

namespace Lingotto.Reporting;

/// <summary>Numbers as people read them, invariant of the machine's language.</summary>
public static class NumberText
{
    private const string Absent = "\u2013";

    /// <summary>Four significant digits: 0.001234, 12.34, 1,234; a dash for what is not finite.</summary>
    public static string Of(double value)
    {
        double size = Math.Abs(value);
        return !double.IsFinite(value) ? Absent
            : value == 0 ? "0"
            : size >= 1e15 || size < 1e-4 ? value.ToString("0.###e+0", CultureInfo.InvariantCulture)
            : size >= 1000 ? value.ToString("N0", CultureInfo.InvariantCulture)
            : value.ToString(size >= 100 ? "0.#" : size >= 10 ? "0.##" : size >= 1 ? "0.###" : size >= 0.01 ? "0.####" : "0.######", CultureInfo.InvariantCulture);
    }

    /// <summary>As <see cref="Of"/>, a dash for null.</summary>
    public static string OrDash(double? value) => value is { } known ? Of(known) : Absent;

    /// <summary>1,234 up to ten thousand, then 12.3K, 4.5M, 6.7B, 8.9T.</summary>
    public static string Short(double count) => Math.Abs(count) switch
    {
        >= 1e12 => Invariant($"{count / 1e12:0.##}T"),
        >= 1e9 => Invariant($"{count / 1e9:0.##}B"),
        >= 1e6 => Invariant($"{count / 1e6:0.##}M"),
        >= 1e4 => Invariant($"{count / 1e3:0.#}K"),
        _ => double.IsFinite(count) ? Invariant($"{count:N0}") : Absent,
    };

    /// <summary>KiB, MiB, GiB.</summary>
    public static string Bytes(double bytes) => bytes switch
    {
        >= 1L << 30 => Invariant($"{bytes / (1L << 30):F1} GiB"),
        >= 1L << 20 => Invariant($"{bytes / (1L << 20):F1} MiB"),
        >= 1L << 10 => Invariant($"{bytes / (1L << 10):F1} KiB"),
        _ => double.IsFinite(bytes) ? Invariant($"{bytes:F0} B") : Absent,
    };

    /// <summary>0.25 s, 12 s, 3 min 12 s, 2 h 05 min, 3 d 4 h.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds >= TimeSpan.MaxValue.TotalSeconds)
            return Absent;
        if (seconds < 9.95)
            return Invariant($"{Math.Max(0, seconds):0.##} s");
        var time = TimeSpan.FromSeconds(Math.Round(seconds));
        return time.TotalDays >= 1 ? Invariant($"{(int)time.TotalDays} d {time.Hours} h")
            : time.TotalHours >= 1 ? Invariant($"{time.Hours} h {time.Minutes:D2} min")
            : time.TotalMinutes >= 1 ? Invariant($"{time.Minutes} min {time.Seconds:D2} s")
            : Invariant($"{time.Seconds} s");
    }

    /// <summary>12.3 %.</summary>
    public static string Percent(double share) => double.IsFinite(share) ? Invariant($"{100 * share:0.0} %") : Absent;

    /// <summary>An amount with its currency: cents below a thousand, finer below one.</summary>
    public static string Money(double amount, string currency) => Math.Abs(amount) switch
    {
        >= 1000 => Invariant($"{amount:N0} {currency}"),
        >= 1 or 0 => Invariant($"{amount:0.00} {currency}"),
        _ => Invariant($"{amount:0.00##} {currency}"),
    };

    /// <summary>Kilowatt-hours: 12,345 kWh, 1.23 kWh, 0.0005 kWh.</summary>
    public static string Energy(double kilowattHours) => kilowattHours >= 1 ? $"{Of(kilowattHours)} kWh" : Invariant($"{kilowattHours:0.####} kWh");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
