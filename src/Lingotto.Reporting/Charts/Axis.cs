using System.Globalization;

namespace Lingotto.Reporting;

/// <summary>Maps numbers to positions from 0 to 1, linear or logarithmic, with ticks at round numbers.</summary>
internal sealed class Axis
{
    private const int MaxDecimals = 4;

    private readonly double _min, _max;
    private readonly bool _isLogarithmic;
    private readonly int? _decimals;

    /// <summary>Creates an axis with both ends visible. A logarithmic axis needs both ends above 0, otherwise it is linear.</summary>
    public Axis(double min, double max, bool isLogarithmic, int ticks)
    {
        _isLogarithmic = isLogarithmic && min > 0;
        // Values that differ only in their last digits are drawn as one value.
        if (!(max - min > 1e-9 * Math.Max(Math.Abs(min), Math.Abs(max))))
        {
            (min, max) = _isLogarithmic ? (min / 2, min * 2) : (min - Pad(min), min + Pad(min));
        }

        (_min, _max) = (min, max);
        List<double>? powers = _isLogarithmic ? PowerTicks(ticks) : null;
        Ticks = powers ?? LinearTicks(ticks);
        _decimals = powers is null ? Ticks.Zip(Ticks.Skip(1), (a, b) => Decimals(b - a)).DefaultIfEmpty().Max() : null;
    }

    public IReadOnlyList<double> Ticks { get; }

    public double Position(double value) => Math.Clamp(
        _isLogarithmic ? Math.Log(Math.Max(value, _min) / _min) / Math.Log(_max / _min) : (value - _min) / (_max - _min), 0, 1);

    /// <summary>Returns the label of a tick, with as many decimals as its neighbours: 0.5 and 1.0, 12K, 1e-5.</summary>
    public string LabelOf(double tick)
    {
        int decimals = _decimals ?? Decimals(tick);
        return Math.Abs(tick) switch
        {
            0 => "0",
            >= 1e4 => NumberText.Short(tick),
            _ when decimals > MaxDecimals => tick.ToString("0.##e-0", CultureInfo.InvariantCulture),
            _ => tick.ToString($"N{decimals}", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>Returns the decimals that distinguish a number from its neighbour at a distance.</summary>
    private static int Decimals(double distance) => Math.Max(0, (int)Math.Ceiling(-Math.Log10(distance) - 1e-9));

    private static double Pad(double value) => value == 0 ? 1 : Math.Abs(value) * 0.1;

    private List<double> LinearTicks(int maxTicks)
    {
        double step = RoundStep((_max - _min) / Math.Max(1, maxTicks));
        var ticks = new List<double>();
        for (double i = Math.Ceiling((_min / step) - 1e-9); i * step <= _max + (1e-9 * step); i++)
        {
            ticks.Add((i * step) + 0.0); // Not -0.
        }

        return ticks;
    }

    /// <summary>
    /// Returns powers of ten, with 2 and 5 times each if the axis spans few powers; null if the axis spans less than a decade.
    /// </summary>
    private List<double>? PowerTicks(int maxTicks)
    {
        double decades = Math.Log10(_max / _min);
        if (decades < 0.7)
        {
            return null;
        }

        int stride = Math.Max(1, (int)Math.Ceiling(decades / maxTicks));
        double[] digits = decades * 3 <= maxTicks + 1 ? [1, 2, 5] : [1];
        var ticks = new List<double>();
        for (int power = (int)Math.Floor(Math.Log10(_min)); power <= Math.Ceiling(Math.Log10(_max)); power++)
        {
            if (power % stride == 0)
                {
                ticks.AddRange(digits.Select(digit => digit * Math.Pow(10, power))
                    .Where(tick => tick >= _min * 0.999 && tick <= _max * 1.001));
            }
        }

        return ticks.Count >= 2 ? ticks : null;
    }

    private static double RoundStep(double about)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(about))), lead = about / power;
        return power * (lead < 1.5 ? 1 : lead < 3 ? 2 : lead < 7 ? 5 : 10);
    }
}
