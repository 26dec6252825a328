using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>Memory of a run, the runtime included: what is printed before it starts.</summary>
internal static class MemoryPlan
{
    /// <summary>
    /// An allowance for the runtime beside arenas and device scratch: code, the managed heap, packed data, the tokenizer.
    /// bench prints what was planned beside what was resident.
    /// </summary>
    private const long RuntimeBytes = 64L << 20;

    /// <param name="device">The chip.</param>
    /// <param name="decoder">The model.</param>
    /// <param name="copyBytes">Of the state, from which checkpoints are written.</param>
    public static long Of(Device device, TrainableDecoder decoder, long copyBytes = 0) =>
        copyBytes + decoder.Bytes + AdamWOptimizer.PlannedBytes(decoder.Blocks) + BufferSnapshot.PlannedBytes(decoder.Blocks)
        + device.ScratchBytes + RuntimeBytes;
}
