namespace Lingotto.Cli;

/// <summary>Progress on the thread that reports it; <see cref="Progress{T}"/> hops threads and arrives out of order.</summary>
internal sealed class Report<T>(Action<T> show) : IProgress<T>
{
    void IProgress<T>.Report(T value) => show(value);
}
