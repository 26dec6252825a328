namespace Lingotto.Compute;

/// <summary>Sums by a fixed tree: blocks of 16,384 elements in f32 lanes, their results added in f64 in block order.</summary>
internal static unsafe class Reduction
{
    private const int Block = 16384;

    /// <summary>Doubles of scratch for a sum.</summary>
    public static long ScratchLength(long length) => (length + Block - 1) / Block;

    public static void Sum(Workers workers, float* x, long length, bool squares, double* scratch, float* result)
    {
        int blocks = checked((int)ScratchLength(length));
        workers.For(blocks, 1, new Kernel(x, length, squares, scratch));
        double sum = 0;
        for (int i = 0; i < blocks; i++)
        {
            sum += scratch[i];
        }

        *result = (float)sum;
    }

    private readonly struct Kernel(float* x, long length, bool squares, double* partials) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int block = begin; block < end; block++)
            {
                float* from = x + (long)block * Block;
                int count = (int)Math.Min(Block, length - (long)block * Block);
                V sum0 = O.Zero, sum1 = O.Zero;
                for (int i = 0; i < count; i += 2 * O.Count)
                {
                    V a = VectorMath.Load<V, O>(from + i, count - i);
                    V b = VectorMath.Load<V, O>(from + i + O.Count, Math.Max(0, count - i - O.Count));
                    sum0 = squares ? O.MultiplyAdd(a, a, sum0) : O.Add(a, sum0);
                    sum1 = squares ? O.MultiplyAdd(b, b, sum1) : O.Add(b, sum1);
                }

                partials[block] = O.Sum(O.Add(sum0, sum1));
            }
        }
    }
}
