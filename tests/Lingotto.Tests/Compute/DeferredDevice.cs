using Lingotto.Compute;

namespace Lingotto.Tests;

/// <summary>An asynchronous device: nothing runs until someone waits, as on a graphics processor.</summary>
internal sealed class DeferredDevice(Device inner) : ForwardingDevice(inner)
{
    private readonly Queue<Action> _queue = [];

    /// <summary>Most operations that waited at once.</summary>
    public int LongestQueue { get; private set; }

    public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
    {
        T[] copy = source.ToArray();
        Invoke(() => Inner.Upload<T>(copy, Map(destination)));
    }

    public override void Download<T>(Tensor source, Span<T> destination)
    {
        Synchronize();
        Inner.Download(Map(source), destination);
    }

    public override void Synchronize()
    {
        while (_queue.TryDequeue(out Action? operation))
        {
            operation();
        }

        Inner.Synchronize();
    }

    protected override void Invoke(Action operation)
    {
        _queue.Enqueue(operation);
        LongestQueue = Math.Max(LongestQueue, _queue.Count);
    }
}
