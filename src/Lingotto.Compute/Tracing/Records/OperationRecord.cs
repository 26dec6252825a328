namespace Lingotto.Compute;

/// <summary>The level of a recorded interval: each interval is inside one of the level above on its thread.</summary>
public enum OperationLevel : byte
{
    /// <summary>What the run does: a step, a save, a measurement.</summary>
    Phase,

    /// <summary>One operation of a <see cref="Device"/>.</summary>
    Operation,

    /// <summary>One thread's part in a loop of an operation.</summary>
    Kernel,
}

/// <summary>Something that began and ended on one thread.</summary>
/// <param name="Name">Of the phase, operation or kernel.</param>
/// <param name="Place">The part of the network, such as <c>layers.3</c>; empty where none was entered.</param>
/// <param name="Level">What it is.</param>
/// <param name="Step">Of the run; 0 before the first.</param>
/// <param name="Start">By <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>.</param>
/// <param name="End">Likewise.</param>
/// <param name="Work">What it computed and moved; zero where unknown.</param>
public readonly record struct OperationRecord(
    string Name, string Place, OperationLevel Level, long Step, long Start, long End, OperationWork Work);

/// <summary>Something that has begun and not ended.</summary>
/// <param name="Name">Of the phase, operation or kernel.</param>
/// <param name="Place">The part of the network.</param>
/// <param name="Level">What it is.</param>
/// <param name="Step">Of the run.</param>
/// <param name="Start">By <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/>.</param>
public readonly record struct OpenOperation(string Name, string Place, OperationLevel Level, long Step, long Start);
