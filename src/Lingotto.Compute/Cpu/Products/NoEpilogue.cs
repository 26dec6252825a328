namespace Lingotto.Compute;

/// <summary>The epilogue of a matmul without one.</summary>
internal readonly struct NoEpilogue : IRangeKernel
{
    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
    }
}
