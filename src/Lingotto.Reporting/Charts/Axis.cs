using System.Globalization;

namespace Lingotto.Reporting;

/// <summary>Numbers to positions from 0 to 1, linear or logarithmic, with ticks at round numbers.</summary>
internal sealed class Axis
{
    private const int MaxDecimals = 4;

    private readonly double _least, _most;
    private readonly bool _isLogarithmic;
    private readonly int? _decimals;

    /// <summary>An axis that shows both ends; a logarithmic one needs both above 0.</summary>
    public Axis(double least, double most, bool isLogarithmic, int ticks)
    {
        _isLogarithmic = isLogarithmic && least > 0;
        // Values that differ in their last digits only are drawn as one.
        if (!(most - least > 1e-9 * Math.Max(Math.Abs(least), Math.Abs(most))))
            (least, most) = _isLogarithmic ? (least / 2, least * 2) : (least - Pad(least), least + Pad(least));
        (_least, _most) = (least, most);
        List<double>? powers = _isLogarithmic ? PowerTicks(ticks) : null;
        Ticks = powers ?? LinearTicks(ticks);
        _decimals = powers is null ? Ticks.Zip(Ticks.Skip(1), (a, b) => Decimals(b - a)).DefaultIfEmpty().Max() : null;
    }

    public IReadOnlyList<double> Ticks { get; }

    public double Position(double value) => Math.Clamp(
        _isLogarithmic ? Math.Log(Math.Max(value, _least) / _least) / Math.Log(_most / _least) : (value - _least) / (_most - _least), 0, 1);

    /// <summary>A tick as its neighbours are written, powers of ten as they are: 0.5 and 1.0, 12K, 1e-5.</summary>
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

    /// <summary>Decimals that tell a number from its neighbour at a distance.</summary>
    private static int Decimals(double distance) => Math.Max(0, (int)Math.Ceiling(-Math.Log10(distance) - 1e-9));

    private static double Pad(double value) => value == 0 ? 1 : Math.Abs(value) * 0.1;

    private List<double> LinearTicks(int most)
    {
        double step = RoundStep((_most - _least) / Math.Max(1, most));
        var ticks = new List<double>();
        for (double i = Math.Ceiling((_least / step) - 1e-9); i * step <= _most + (1e-9 * step); i++)
            ticks.Add((i * step) + 0.0); // Not -0.
        return ticks;
    }

    /// <summary>Powers of ten, with their doubles and fives where the axis spans few of them; null where it spans almost none.</summary>
    private List<double>? PowerTicks(int most)
    {
        double decades = Math.Log10(_most / _least);
        if (decades < 0.7)
            return null;
        int stride = Math.Max(1, (int)Math.Ceiling(decades / most));
        double[] digits = decades * 3 <= most + 1 ? [1, 2, 5] : [1];
        var ticks = new List<double>();
        for (int power = (int)Math.Floor(Math.Log10(_least)); power <= Math.Ceiling(Math.Log10(_most)); power++)
        {
            if (power % stride == 0)
                ticks.AddRange(digits.Select(digit => digit * Math.Pow(10, power)).Where(tick => tick >= _least * 0.999 && tick <= _most * 1.001));
        }

        return ticks.Count >= 2 ? ticks : null;
    }

    private static double RoundStep(double about)
    {
        double power = Math.Pow(10, Math.Floor(Math.Log10(about))), lead = about / power;
        return power * (lead < 1.5 ? 1 : lead < 3 ? 2 : lead < 7 ? 5 : 10);
    }
}
