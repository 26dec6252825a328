namespace Lingotto.Text;

/// <summary>
/// Runs work on several threads and returns the results in the order of the input, with a bounded number of items in flight.
/// </summary>
internal static class OrderedWork
{
    /// <summary>
    /// Takes items and gives results on the thread that enumerates; only <paramref name="work"/> runs elsewhere. Twice as many
    /// items as threads are in flight at most, so a slow consumer holds back the producer.
    /// </summary>
    public static IEnumerable<TResult> Map<T, TResult>(
        IEnumerable<T> items, Func<T, TResult> work, int threads, CancellationToken cancellationToken)
    {
        var pending = new Queue<Task<TResult>>();
        try
        {
            foreach (T item in items)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (pending.Count >= 2 * threads)
                {
                    yield return pending.Dequeue().GetAwaiter().GetResult();
                }

                pending.Enqueue(Task.Run(() => work(item), CancellationToken.None));
            }

            while (pending.Count > 0)
            {
                yield return pending.Dequeue().GetAwaiter().GetResult();
            }
        }
        finally
        {
            // After a fault no task may read objects that the caller is about to dispose of.
            Task.WhenAll(pending).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)
                .Wait(CancellationToken.None);
        }
    }
}
