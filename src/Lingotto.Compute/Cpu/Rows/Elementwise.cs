namespace Lingotto.Compute;

/// <summary>Operations on single elements; a tile is a run of elements or of rows.</summary>
internal static unsafe class Elementwise
{
    /// <summary>Elements of a tile: 64 KiB, far above the cost of handing it out.</summary>
    private const int Grain = 16384;

    /// <summary>y[i] += x[i]</summary>
    public static void Add(Workers workers, float* x, float* y, long length) => Run(workers, length, new AddKernel(x, y, length));

    /// <summary>y[t,d] = x[t,d] * scale[d]</summary>
    public static void ScaleColumns(Workers workers, float* x, float* scale, float* y, int rows, int columns) =>
        workers.For(rows, Math.Max(1, Grain / columns), new ScaleColumnsKernel(x, scale, y, columns));

    public static void Fill(Workers workers, float* x, float value, long length) => Run(workers, length, new FillKernel(x, value, length));

    public static void Copy(Workers workers, float* x, float* y, long length) => Run(workers, length, new CopyKernel(x, y, length));

    /// <summary>y[i] = x[i] in another storage.</summary>
    public static void Convert<EX, EY>(Workers workers, void* x, void* y, long length)
        where EX : struct, IElement
        where EY : struct, IElement => Run(workers, length, new ConvertKernel<EX, EY>(x, y, length));

    private static void Run<TKernel>(Workers workers, long length, TKernel kernel)
        where TKernel : unmanaged, IRangeKernel => workers.For(checked((int)((length + Grain - 1) / Grain)), 1, kernel);

    private readonly struct AddKernel(float* x, float* y, long length) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            long stop = Math.Min((long)end * Grain, length);
            for (long i = (long)begin * Grain; i < stop; i += O.Count)
            {
                int left = (int)(stop - i);
                V sum = O.Add(VectorMath.Load<V, O>(x + i, left), VectorMath.Load<V, O>(y + i, left));
                VectorMath.Store<V, O>(sum, y + i, left);
            }
        }
    }

    private readonly struct ConvertKernel<EX, EY>(void* x, void* y, long length) : IRangeKernel
        where EX : struct, IElement
        where EY : struct, IElement
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            long stop = Math.Min((long)end * Grain, length);
            for (long i = (long)begin * Grain; i < stop; i += O.Count)
            {
                int left = (int)(stop - i);
                EY.Store<V, O>(EX.Load<V, O>(x, (nint)i, left), y, (nint)i, left);
            }
        }
    }

    private readonly struct FillKernel(float* x, float value, long length) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            long first = (long)begin * Grain;
            new Span<float>(x + first, (int)(Math.Min((long)end * Grain, length) - first)).Fill(value);
        }
    }

    private readonly struct CopyKernel(float* x, float* y, long length) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            long first = (long)begin * Grain;
            int count = (int)(Math.Min((long)end * Grain, length) - first);
            new ReadOnlySpan<float>(x + first, count).CopyTo(new Span<float>(y + first, count));
        }
    }

    private readonly struct ScaleColumnsKernel(float* x, float* scale, float* y, int columns) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int row = begin; row < end; row++)
            {
                nint at = (nint)row * columns;
                for (int d = 0; d < columns; d += O.Count)
                {
                    int left = columns - d;
                    V scaled = O.Multiply(VectorMath.Load<V, O>(x + at + d, left), VectorMath.Load<V, O>(scale + d, left));
                    VectorMath.Store<V, O>(scaled, y + at + d, left);
                }
            }
        }
    }
}
