namespace Lingotto.Compute;

/// <summary>Time spent in one kernel.</summary>
/// <param name="Kernel">The kernel's name.</param>
/// <param name="Seconds">Wall time as the calling thread sees it.</param>
public sealed record KernelTime(string Kernel, double Seconds);
