using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>Memory of a run, the runtime included: what is printed before it starts.</summary>
internal static class MemoryPlan
{
    /// <summary>
    /// The runtime beside arenas and device scratch: code, the managed heap, packed data, the tokenizer. Measured at 50 to
    /// 80 MB on Linux x64.
    /// </summary>
    private const long RuntimeBytes = 64L << 20;

    public static long Of(CpuDevice device, TrainableDecoder decoder) =>
        decoder.Bytes + AdamWOptimizer.PlannedBytes(decoder.Blocks) + device.ScratchBytes + RuntimeBytes;
}
