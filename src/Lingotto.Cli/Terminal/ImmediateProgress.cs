namespace Lingotto.Cli;

/// <summary>Progress on the thread that reports it; <see cref="Progress{T}"/> hops threads and arrives out of order.</summary>
internal sealed class ImmediateProgress<T>(Action<T> show) : IProgress<T>
{
    public void Report(T value) => show(value);
}
