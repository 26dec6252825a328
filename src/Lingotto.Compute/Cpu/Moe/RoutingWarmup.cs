using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>
/// logits = alpha * logits + (1 - alpha) * (mu + sigma * e), mu and sigma running over the raw logits (Ling report, eq. 3).
/// </summary>
internal static unsafe class RoutingWarmup
{
    private const int Grain = 64;

    public static void Run(
        Workers workers, float* logits, float* running, float alpha, float rate, CounterRandom random, ulong stream, long firstToken,
        int tokens, int experts, double* scratch)
    {
        long length = (long)tokens * experts;
        float sum, squares;
        Reduction.Sum(workers, logits, length, squares: false, scratch, &sum);
        Reduction.Sum(workers, logits, length, squares: true, scratch, &squares);
        running[0] += rate * (sum / length - running[0]);
        running[1] += rate * (squares / length - running[1]);
        float deviation = MathF.Sqrt(MathF.Max(0, running[1] - running[0] * running[0]));
        workers.For(tokens, Grain, new Kernel(logits, experts, alpha, running[0], deviation, random, stream, firstToken));
    }

    private readonly struct Kernel(
        float* logits, int experts, float alpha, float mean, float deviation, CounterRandom random, ulong stream, long firstToken)
        : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            // Counted from global token 0: where a block of four begins does not depend on the batch.
            long i = (firstToken + begin) * experts, last = (firstToken + end) * experts;
            float* global = logits - (nint)(firstToken * experts);
            while (i < last)
            {
                Vector128<float> noise = random.Normals(stream, (ulong)i / 4);
                for (int lane = (int)(i % 4); lane < 4 && i < last; lane++, i++)
                {
                    global[i] = alpha * global[i] + (1 - alpha) * (mean + deviation * noise[lane]);
                }
            }
        }
    }
}
