namespace Lingotto.Reporting;

/// <summary>
/// A curve of any length in bounded memory. When the memory is full, neighbours are joined, so that every point holds twice as many
/// measurements. Each point keeps its smallest and largest measurement, so a spike of a single measurement stays visible.
/// </summary>
public sealed class Curve
{
    private const int DefaultCapacity = 600;

    // The running mean covers about this many measurements.
    private const double SmoothingLength = 30;

    private readonly int _capacity;
    private readonly List<CurvePoint> _points;
    private CurvePoint _open;
    private long _perPoint = 1;
    private double _smoothSum, _smoothWeight;

    /// <summary>Creates an empty curve.</summary>
    /// <param name="capacity">Max points kept; even.</param>
    public Curve(int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(capacity % 2, 0, nameof(capacity));
        _capacity = capacity;
        _points = [];
    }

    /// <summary>Number of measurements.</summary>
    public long Count { get; private set; }

    /// <summary>The last measurement; NaN if there is none.</summary>
    public double Last { get; private set; } = double.NaN;

    /// <summary>The running mean at the last measurement; NaN if there is none.</summary>
    public double LastSmooth => _smoothWeight > 0 ? _smoothSum / _smoothWeight : double.NaN;

    /// <summary>The points in order, including the incomplete last point.</summary>
    public IEnumerable<CurvePoint> Points => _open.Count > 0 ? _points.Append(_open) : _points;

    /// <summary>Adds a measurement; x must not decrease. Values that are not finite are ignored.</summary>
    public void Add(double x, double y)
    {
        if (!double.IsFinite(y) || !double.IsFinite(x))
        {
            return;
        }

        double keep = 1 - (1 / SmoothingLength);
        _smoothSum = (keep * _smoothSum) + y;
        _smoothWeight = (keep * _smoothWeight) + 1;
        (Last, Count) = (y, Count + 1);
        var one = new CurvePoint(x, y, y, y, LastSmooth, 1);
        _open = _open.Count == 0 ? one : Join(_open, one);
        if (_open.Count < _perPoint)
        {
            return;
        }

        _points.Add(_open);
        _open = default;
        if (_points.Count == _capacity)
        {
            Halve();
        }
    }

    private void Halve()
    {
        for (int i = 0; i < _capacity / 2; i++)
        {
            _points[i] = Join(_points[2 * i], _points[(2 * i) + 1]);
        }

        _points.RemoveRange(_capacity / 2, _capacity / 2);
        _perPoint *= 2;
    }

    private static CurvePoint Join(CurvePoint a, CurvePoint b) => new(
        b.X, ((a.Mean * a.Count) + (b.Mean * b.Count)) / (a.Count + b.Count), Math.Min(a.Min, b.Min), Math.Max(a.Max, b.Max),
        b.Smooth, a.Count + b.Count);
}
