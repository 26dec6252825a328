namespace Lingotto.Compute;

/// <summary>(a, b) becomes (a cos - b sin, b cos + a sin) for the channel pairs of query and key heads; backward turns the other way.</summary>
internal static unsafe class Rope
{
    private const int Grain = 64;

    /// <param name="workers">Threads.</param>
    /// <param name="qkv">[T, H, C], changed in place.</param>
    /// <param name="positions">[T].</param>
    /// <param name="cosSin">[P, R]: R/2 cosines, R/2 sines.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="rotated">R, channels that turn.</param>
    /// <param name="layout">Which channels pair up.</param>
    /// <param name="direction">+1 forward, -1 backward.</param>
    /// <param name="tokens">T.</param>
    public static void Run(
        Workers workers, float* qkv, int* positions, float* cosSin, AttentionShape shape, int rotated, RotaryLayout layout,
        float direction, int tokens) =>
        workers.For(tokens, Grain, new Kernel(qkv, positions, cosSin, shape, rotated, layout, direction));

    private readonly struct Kernel(
        float* qkv, int* positions, float* cosSin, AttentionShape shape, int rotated, RotaryLayout layout, float direction) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int t = begin; t < end; t++)
            {
                float* cos = cosSin + (nint)positions[t] * rotated;
                float* head = qkv + (nint)t * shape.FusedHeads * shape.HeadDim;
                for (int h = 0; h < shape.NumHeads + shape.NumKeyValueHeads; h++, head += shape.HeadDim)
                {
                    if (layout == RotaryLayout.Half)
                    {
                        TurnHalves<V, O>(head, cos);
                    }
                    else
                    {
                        TurnNeighbours(head, cos);
                    }
                }
            }
        }

        private void TurnHalves<V, O>(float* head, float* cos)
            where V : struct
            where O : ILanes<V>
        {
            int half = rotated / 2;
            V sign = O.Broadcast(direction);
            for (int i = 0; i < half; i += O.Count)
            {
                int left = half - i;
                V c = VectorMath.Load<V, O>(cos + i, left), s = O.Multiply(sign, VectorMath.Load<V, O>(cos + half + i, left));
                V a = VectorMath.Load<V, O>(head + i, left), b = VectorMath.Load<V, O>(head + half + i, left);
                VectorMath.Store<V, O>(O.Subtract(O.Multiply(a, c), O.Multiply(b, s)), head + i, left);
                VectorMath.Store<V, O>(O.Add(O.Multiply(b, c), O.Multiply(a, s)), head + half + i, left);
            }
        }

        private void TurnNeighbours(float* head, float* cos)
        {
            int half = rotated / 2;
            for (int i = 0; i < half; i++)
            {
                float c = cos[i], s = direction * cos[half + i], a = head[2 * i], b = head[2 * i + 1];
                head[2 * i] = a * c - b * s;
                head[2 * i + 1] = b * c + a * s;
            }
        }
    }
}
