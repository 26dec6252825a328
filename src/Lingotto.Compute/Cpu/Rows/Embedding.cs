namespace Lingotto.Compute;

/// <summary>y[t,:] = table[ids[t],:]; gradTable[ids[t],:] += gradY[t,:]</summary>
internal static unsafe class Embedding
{
    private const int GrainRows = 64;

    /// <summary>Columns of a backward tile: a tile owns its columns, so every sum runs in the order of the tokens.</summary>
    private const int GrainColumns = 64;

    public static void Forward(Workers workers, int* ids, float* table, float* y, int tokens, int columns) =>
        workers.For(tokens, GrainRows, new ForwardKernel(ids, table, y, columns));

    public static void Backward(Workers workers, int* ids, float* gradY, float* gradTable, int tokens, int columns) =>
        workers.For(columns, GrainColumns, new BackwardKernel(ids, gradY, gradTable, tokens, columns));

    private readonly struct ForwardKernel(int* ids, float* table, float* y, int columns) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int t = begin; t < end; t++)
            {
                new ReadOnlySpan<float>(table + (nint)ids[t] * columns, columns).CopyTo(new Span<float>(y + (nint)t * columns, columns));
            }
        }
    }

    private readonly struct BackwardKernel(int* ids, float* gradY, float* gradTable, int tokens, int columns) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int t = 0; t < tokens; t++)
            {
                float* from = gradY + (nint)t * columns, to = gradTable + (nint)ids[t] * columns;
                for (int d = begin; d < end; d += O.Count)
                {
                    int left = end - d;
                    V sum = O.Add(VectorMath.Load<V, O>(from + d, left), VectorMath.Load<V, O>(to + d, left));
                    VectorMath.Store<V, O>(sum, to + d, left);
                }
            }
        }
    }
}
