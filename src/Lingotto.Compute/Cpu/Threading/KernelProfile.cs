using System.Diagnostics;

namespace Lingotto.Compute;

/// <summary>Wall time by kernel, as the calling thread sees it. Off, it costs one branch an operation.</summary>
internal sealed class KernelProfile
{
    private readonly Dictionary<Type, long> _ticks = [];

    public bool IsOn { get; private set; }

    public void Start()
    {
        _ticks.Clear();
        IsOn = true;
    }

    /// <summary>Seconds of each kernel since <see cref="Start"/>, longest first.</summary>
    public IReadOnlyList<KernelTime> Stop()
    {
        IsOn = false;
        return [.. _ticks.GroupBy(pair => KernelName.From(pair.Key))
            .Select(kernel => new KernelTime(kernel.Key, kernel.Sum(pair => pair.Value) / (double)Stopwatch.Frequency))
            .OrderByDescending(time => time.Seconds)];
    }

    public void Add(Type kernel, long ticks) => _ticks[kernel] = _ticks.GetValueOrDefault(kernel) + ticks;
}
