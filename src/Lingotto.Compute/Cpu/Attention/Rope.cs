namespace Lingotto.Compute;

/// <summary>
/// (a, b) becomes (a cos - b sin, b cos + a sin) for the channel pairs of query and key heads; backward rotates the other way.
/// </summary>
internal static unsafe class Rope
{
    private const int Grain = 64;

    /// <param name="workers">Threads.</param>
    /// <param name="x">[T, Q, C].</param>
    /// <param name="positions">[T].</param>
    /// <param name="cosSin">[P, W]: W/2 cosines, W/2 sines.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="rotated">W, channels that rotate.</param>
    /// <param name="layout">Which channels pair up.</param>
    /// <param name="direction">+1 forward, -1 backward.</param>
    /// <param name="tokens">T.</param>
    /// <param name="y">[T, Q, C]; may be x. Channels that do not rotate are copied.</param>
    public static void Run<E>(
        Workers workers, float* x, int* positions, float* cosSin, AttentionShape shape, int rotated, RotaryLayout layout,
        float direction, int tokens, void* y)
        where E : struct, IElement =>
        workers.For(tokens, Grain, new Kernel<E>(x, positions, cosSin, shape, rotated, layout, direction, y));

    private readonly struct Kernel<E>(
        float* x, int* positions, float* cosSin, AttentionShape shape, int rotated, RotaryLayout layout, float direction, void* y)
        : IRangeKernel
        where E : struct, IElement
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int t = begin; t < end; t++)
            {
                float* cos = cosSin + (nint)positions[t] * rotated;
                nint row = (nint)t * shape.FusedHeads * shape.HeadDim;
                for (int h = 0; h < shape.FusedHeads; h++)
                {
                    int rotatedHere = h < shape.NumHeads + shape.NumKeyValueHeads ? rotated : 0;
                    Head<V, O>(row + (nint)h * shape.HeadDim, rotatedHere, cos);
                }
            }
        }

        private void Head<V, O>(nint at, int rotatedHere, float* cos)
            where V : struct
            where O : ILanes<V>
        {
            if (layout == RotaryLayout.Half)
            {
                RotateHalves<V, O>(at, rotatedHere / 2, cos);
            }
            else
            {
                RotateNeighbours<V, O>(at, rotatedHere / 2, cos);
            }

            for (int c = rotatedHere; x != y && c < shape.HeadDim; c += O.Count)
            {
                E.Store<V, O>(VectorMath.Load<V, O>(x + at + c, shape.HeadDim - c), y, at + c, shape.HeadDim - c);
            }
        }

        private void RotateHalves<V, O>(nint at, int half, float* cos)
            where V : struct
            where O : ILanes<V>
        {
            V sign = O.Broadcast(direction);
            for (int i = 0; i < half; i += O.Count)
            {
                int left = half - i;
                V c = VectorMath.Load<V, O>(cos + i, left), s = O.Multiply(sign, VectorMath.Load<V, O>(cos + half + i, left));
                V a = VectorMath.Load<V, O>(x + at + i, left), b = VectorMath.Load<V, O>(x + at + half + i, left);
                E.Store<V, O>(O.Subtract(O.Multiply(a, c), O.Multiply(b, s)), y, at + i, left);
                E.Store<V, O>(O.Add(O.Multiply(b, c), O.Multiply(a, s)), y, at + half + i, left);
            }
        }

        private void RotateNeighbours<V, O>(nint at, int half, float* cos)
            where V : struct
            where O : ILanes<V>
        {
            float* pairsOut = stackalloc float[32];
            for (int i = 0; i < half; i += O.Count)
            {
                int pairs = Math.Min(O.Count, half - i);
                for (int j = 0; j < pairs; j++)
                {
                    float c = cos[i + j], s = direction * cos[half + i + j], a = x[at + 2 * (i + j)], b = x[at + 2 * (i + j) + 1];
                    pairsOut[2 * j] = a * c - b * s;
                    pairsOut[2 * j + 1] = b * c + a * s;
                }

                for (int j = 0; j < 2 * pairs; j += O.Count)
                {
                    E.Store<V, O>(O.Load(pairsOut + j), y, at + 2 * i + j, 2 * pairs - j);
                }
            }
        }
    }
}
