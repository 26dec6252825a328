namespace Lingotto.Cli;

/// <summary>
/// A curve of any length in little memory: when it is full, neighbours are averaged and points stand for twice as many steps.
/// </summary>
internal sealed class LossHistory
{
    private const int Capacity = 2048;

    private readonly List<double> _points = new(Capacity);
    private int _stepsPerPoint = 1;
    private int _steps;
    private double _sum;

    public IReadOnlyList<double> Points => _points;

    public void Add(double loss)
    {
        if (!double.IsFinite(loss))
        {
            return;
        }
        _sum += loss;
        if (++_steps < _stepsPerPoint)
        {
            return;
        }
        _points.Add(_sum / _steps);
        (_sum, _steps) = (0, 0);
        if (_points.Count == Capacity)
        {
            Halve();
        }
    }

    private void Halve()
    {
        for (int i = 0; i < Capacity / 2; i++)
        {
            _points[i] = (_points[2 * i] + _points[(2 * i) + 1]) / 2;
        }
        _points.RemoveRange(Capacity / 2, Capacity / 2);
        _stepsPerPoint *= 2;
    }
}
