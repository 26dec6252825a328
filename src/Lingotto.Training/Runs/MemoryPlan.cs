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

    public static long Of(CpuDevice device, TrainableDecoder decoder) =>
        decoder.Bytes + AdamWOptimizer.PlannedBytes(decoder.Blocks) + device.ScratchBytes + RuntimeBytes;
}
