namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override void AddCounts(Tensor countsE, Tensor totalE, Tensor asFloatsE)
    {
        Begin();
        inner.AddCounts(countsE, totalE, asFloatsE);
        End(WorkOf.Moving(countsE, totalE, totalE, asFloatsE));
    }
}
