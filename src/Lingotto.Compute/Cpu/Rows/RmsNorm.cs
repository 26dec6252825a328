namespace Lingotto.Compute;

/// <summary>y[t,d] = x[t,d] * rstd[t] * weight[d], rstd[t] = 1 / sqrt(mean_d x[t,d]^2 + epsilon)</summary>
/// <remarks>
/// Rows are given by a base and two steps, so that the same code normalises the residual stream (one row a token) and the
/// heads of a fused query/key/value row (one row a token and head).
/// </remarks>
internal static unsafe class RmsNorm
{
    /// <summary>Rows whose weight gradients are summed first; part of the result's definition, not of the thread count.</summary>
    public const int PartialRows = 64;

    /// <summary>Floats of scratch that Backward needs.</summary>
    public static long ScratchLength(int tokens, int columns) => (long)((tokens + PartialRows - 1) / PartialRows) * columns;

    public static void Forward<E>(Workers workers, in NormRows rows, float* x, float* weight, float epsilon, void* y, float* rstd)
        where E : struct, IElement =>
        workers.For(rows.Tokens, PartialRows, new ForwardKernel<E>(rows, x, weight, epsilon, y, rstd));

    /// <summary>gradX = rstd * (g - n * mean(g * n)), gradWeight += sum gradY * n, with g = gradY * weight and n = x * rstd.</summary>
    public static void Backward(
        Workers workers, in NormRows rows, float* gradY, float* x, float* weight, float* rstd, float* gradX, float* gradWeight,
        float* scratch)
    {
        int partials = (rows.Tokens + PartialRows - 1) / PartialRows;
        workers.For(rows.Tokens, PartialRows, new BackwardKernel(rows, gradY, x, weight, rstd, gradX, scratch));
        for (int p = 0; p < partials; p++)
        {
            for (int d = 0; d < rows.Columns; d++)
            {
                gradWeight[d] += scratch[(nint)p * rows.Columns + d];
            }
        }
    }

    private readonly struct ForwardKernel<E>(NormRows rows, float* x, float* weight, float epsilon, void* y, float* rstd) : IRangeKernel
        where E : struct, IElement
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int token = begin; token < end; token++)
            {
                for (int head = 0; head < rows.Heads; head++)
                {
                    float* from = x + rows.Offset(token, head);
                    V squares = O.Zero;
                    for (int d = 0; d < rows.Columns; d += O.Count)
                    {
                        V v = VectorMath.Load<V, O>(from + d, rows.Columns - d);
                        squares = O.MultiplyAdd(v, v, squares);
                    }

                    float scale = 1f / MathF.Sqrt(O.Sum(squares) / rows.Columns + epsilon);
                    rstd[(nint)token * rows.RstdStep + head] = scale;
                    Scale<V, O>(from, scale, rows.Offset(token, head));
                }
            }
        }

        private void Scale<V, O>(float* from, float scale, nint to)
            where V : struct
            where O : ILanes<V>
        {
            V factor = O.Broadcast(scale);
            for (int d = 0; d < rows.Columns; d += O.Count)
            {
                int left = rows.Columns - d;
                V normalised = O.Multiply(VectorMath.Load<V, O>(from + d, left), factor);
                E.Store<V, O>(O.Multiply(normalised, VectorMath.Load<V, O>(weight + d, left)), y, to + d, left);
            }
        }
    }

    private readonly struct BackwardKernel(
        NormRows rows, float* gradY, float* x, float* weight, float* rstd, float* gradX, float* partialWeightGrads) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            float* partial = partialWeightGrads + (nint)(begin / PartialRows) * rows.Columns;
            new Span<float>(partial, rows.Columns).Clear();
            for (int token = begin; token < end; token++)
            {
                for (int head = 0; head < rows.Heads; head++)
                {
                    nint at = rows.Offset(token, head);
                    Row<V, O>(gradY + at, x + at, rstd[(nint)token * rows.RstdStep + head], gradX + at, partial);
                }
            }
        }

        private void Row<V, O>(float* dy, float* from, float scale, float* dx, float* partial)
            where V : struct
            where O : ILanes<V>
        {
            V rstdV = O.Broadcast(scale), dot = O.Zero;
            for (int d = 0; d < rows.Columns; d += O.Count)
            {
                int left = rows.Columns - d;
                V n = O.Multiply(VectorMath.Load<V, O>(from + d, left), rstdV);
                V g = VectorMath.Load<V, O>(dy + d, left);
                VectorMath.Store<V, O>(O.MultiplyAdd(g, n, VectorMath.Load<V, O>(partial + d, left)), partial + d, left);
                dot = O.MultiplyAdd(O.Multiply(g, VectorMath.Load<V, O>(weight + d, left)), n, dot);
            }

            V mean = O.Broadcast(O.Sum(dot) / rows.Columns);
            for (int d = 0; d < rows.Columns; d += O.Count)
            {
                int left = rows.Columns - d;
                V n = O.Multiply(VectorMath.Load<V, O>(from + d, left), rstdV);
                V g = O.Multiply(VectorMath.Load<V, O>(dy + d, left), VectorMath.Load<V, O>(weight + d, left));
                VectorMath.Store<V, O>(O.Multiply(rstdV, O.Subtract(g, O.Multiply(n, mean))), dx + d, left);
            }
        }
    }
}

/// <summary>Rows to normalise: Heads rows of Columns floats for each token, from FirstHead on.</summary>
internal readonly record struct NormRows(int Tokens, int TokenStep, int FirstHead, int Heads, int Columns, int RstdStep)
{
    public nint Offset(int token, int head) => (nint)token * TokenStep + (nint)(FirstHead + head) * Columns;
}
