namespace Lingotto.Compute;

/// <summary>What follows a product that nothing follows.</summary>
internal readonly struct Nothing : IRangeKernel
{
    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
    }
}
