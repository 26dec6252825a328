namespace Lingotto.Compute;

public abstract partial class Device
{
    /// <summary>total[e] += counts[e], and totals as F32 for a read-back together with other figures: asFloats[e] = total[e].</summary>
    /// <param name="countsE">I32[E].</param>
    /// <param name="totalE">I32[E].</param>
    /// <param name="asFloatsE">F32[E]; exact below 2^24.</param>
    public abstract void AddCounts(Tensor countsE, Tensor totalE, Tensor asFloatsE);
}
