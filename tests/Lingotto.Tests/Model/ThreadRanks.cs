namespace Lingotto.Tests.Model;

/// <summary>Two ranks in one process, a thread each, that hand each other arrays.</summary>
internal sealed class ThreadRanks : IDisposable
{
    private readonly Barrier _barrier = new(2);
    private readonly Array?[] _sent = new Array?[2];

    /// <summary>Runs one function for each rank at the same time; rethrows what either threw.</summary>
    public static T[] Run<T>(Func<ThreadRanks, int, T> rank)
    {
        using var ranks = new ThreadRanks();
        var results = new T[2];
        Exception? fault = null;
        Thread[] threads =
        [
            .. Enumerable.Range(0, 2).Select(r => new Thread(() =>
            {
                try
                {
                    results[r] = rank(ranks, r);
                }
                catch (Exception e)
                {
                    Interlocked.CompareExchange(ref fault, e, null);
                    ranks._barrier.RemoveParticipant();
                }
            })),
        ];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return fault is null ? results : throw new InvalidOperationException("a rank failed", fault);
    }

    /// <summary>Sends an array to the other rank; returns a copy of what the other rank sent.</summary>
    public T[] Exchange<T>(int rank, T[] values)
    {
        _sent[rank] = values;
        _barrier.SignalAndWait();
        var received = (T[])((T[])_sent[1 - rank]!).Clone();
        _barrier.SignalAndWait();
        return received;
    }

    public void Dispose() => _barrier.Dispose();
}
