namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void AddCounts(Tensor countsE, Tensor totalE, Tensor asFloatsE)
    {
        int length = checked((int)countsE.Length);
        int* counts = Integers(countsE, length), total = Integers(totalE, length);
        float* asFloats = Floats(asFloatsE, length);
        for (int e = 0; e < length; e++)
        {
            total[e] += counts[e];
            asFloats[e] = total[e];
        }
    }
}
