namespace Lingotto.Compute;

/// <summary>One pass over parameter, gradient and both moments; the update of Loshchilov and Hutter, 2019, algorithm 2.</summary>
internal static unsafe class AdamW
{
    private const int Grain = 16384;

    public static void Update(Workers workers, float* p, float* g, float* m, float* v, long length, in AdamWStep step) =>
        workers.For(checked((int)((length + Grain - 1) / Grain)), 1, new Kernel(p, g, m, v, length, step));

    private readonly struct Kernel(float* p, float* g, float* m, float* v, long length, AdamWStep step) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            V beta1 = O.Broadcast(step.Beta1), beta2 = O.Broadcast(step.Beta2);
            V keep1 = O.Broadcast(1 - step.Beta1), keep2 = O.Broadcast(1 - step.Beta2), scale = O.Broadcast(step.GradScale);

            // lr * mhat / (sqrt(vhat) + eps) = rate * m / (sqrt(v) * root + eps), with the two bias corrections folded in.
            V rate = O.Broadcast((float)(step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step))));
            V root = O.Broadcast((float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step))));
            V epsilon = O.Broadcast(step.Epsilon), decay = O.Broadcast(1 - step.LearningRate * step.WeightDecay);
            long stop = Math.Min((long)end * Grain, length);
            for (long i = (long)begin * Grain; i < stop; i += O.Count)
            {
                int left = (int)Math.Min(stop - i, O.Count);
                V grad = O.Multiply(VectorMath.Load<V, O>(g + i, left), scale);
                V first = O.MultiplyAdd(beta1, VectorMath.Load<V, O>(m + i, left), O.Multiply(keep1, grad));
                V second = O.MultiplyAdd(beta2, VectorMath.Load<V, O>(v + i, left), O.Multiply(keep2, O.Multiply(grad, grad)));
                V denominator = O.MultiplyAdd(O.Sqrt(second), root, epsilon);
                V update = O.Divide(O.Multiply(rate, first), denominator);
                V value = O.Subtract(O.Multiply(decay, VectorMath.Load<V, O>(p + i, left)), update);
                VectorMath.Store<V, O>(value, p + i, left);
                VectorMath.Store<V, O>(first, m + i, left);
                VectorMath.Store<V, O>(second, v + i, left);
                VectorMath.Store<V, O>(O.Zero, g + i, left);
            }
        }
    }
}
