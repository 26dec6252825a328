namespace Lingotto.Compute;

public sealed partial class ReferenceDevice
{
    /// <inheritdoc/>
    public override void AddCounts(Tensor countsE, Tensor totalE, Tensor asFloatsE)
    {
        int length = checked((int)countsE.Length);
        Span<int> counts = Integers(countsE, length), total = Integers(totalE, length);
        Reals asFloats = Read(asFloatsE);
        for (int e = 0; e < length; e++)
        {
            total[e] += counts[e];
            asFloats[e] = total[e];
        }
    }
}
