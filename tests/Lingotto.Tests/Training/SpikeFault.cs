namespace Lingotto.Tests.Training;

/// <summary>What a trial of the guard does to some steps.</summary>
internal enum SpikeFault
{
    /// <summary>Nothing: every alarm is a false one.</summary>
    None,

    /// <summary>The gradient is ten times as large.</summary>
    Gradient10,

    /// <summary>The gradient is a hundred times as large.</summary>
    Gradient100,

    /// <summary>The gradient is ten thousand times as large.</summary>
    Gradient10000,

    /// <summary>A quarter of the bytes of every text in the batch is random.</summary>
    RandomBytes,
}
