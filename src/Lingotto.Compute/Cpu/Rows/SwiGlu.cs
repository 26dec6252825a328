namespace Lingotto.Compute;

/// <summary>y = silu(g) * u, silu(g) = g * s, s = 1 / (1 + e^-g); gateUp holds F gates, then F ups.</summary>
internal static unsafe class SwiGlu
{
    private const int GrainRows = 32;

    public static void Forward<E>(Workers workers, float* gateUp, void* y, int rows, int width)
        where E : struct, IElement => workers.For(rows, GrainRows, new ForwardKernel<E>(gateUp, y, width));

    /// <summary>gradU = gradY * silu(g), gradG = gradY * u * s * (1 + g * (1 - s)).</summary>
    public static void Backward<E>(Workers workers, float* gradY, float* gateUp, void* gradGateUp, int rows, int width)
        where E : struct, IElement => workers.For(rows, GrainRows, new BackwardKernel<E>(gradY, gateUp, gradGateUp, width));

    internal readonly struct ForwardKernel<E>(float* gateUp, void* y, int width) : IRangeKernel
        where E : struct, IElement
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int row = begin; row < end; row++)
            {
                float* gate = gateUp + (nint)row * 2 * width;
                for (int f = 0; f < width; f += O.Count)
                {
                    int left = width - f;
                    V g = VectorMath.Load<V, O>(gate + f, left);
                    V silu = O.Multiply(g, VectorMath.Sigmoid<V, O>(g));
                    E.Store<V, O>(O.Multiply(silu, VectorMath.Load<V, O>(gate + width + f, left)), y, (nint)row * width + f, left);
                }
            }
        }
    }

    internal readonly struct BackwardKernel<E>(float* gradY, float* gateUp, void* gradGateUp, int width) : IRangeKernel
        where E : struct, IElement
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            V one = O.Broadcast(1f);
            for (int row = begin; row < end; row++)
            {
                nint grad = (nint)row * 2 * width;
                float* gate = gateUp + grad;
                for (int f = 0; f < width; f += O.Count)
                {
                    int left = width - f;
                    V g = VectorMath.Load<V, O>(gate + f, left), u = VectorMath.Load<V, O>(gate + width + f, left);
                    V dy = VectorMath.Load<V, O>(gradY + (nint)row * width + f, left), s = VectorMath.Sigmoid<V, O>(g);
                    V slope = O.Multiply(s, O.MultiplyAdd(g, O.Subtract(one, s), one));
                    E.Store<V, O>(O.Multiply(O.Multiply(dy, u), slope), gradGateUp, grad + f, left);
                    E.Store<V, O>(O.Multiply(dy, O.Multiply(g, s)), gradGateUp, grad + width + f, left);
                }
            }
        }
    }
}
