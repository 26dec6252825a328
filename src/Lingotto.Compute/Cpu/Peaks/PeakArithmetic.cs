using System.Diagnostics;

namespace Lingotto.Compute;

/// <summary>
/// The chip's peak: twelve independent chains of fused multiply-adds that touch registers only. Twelve cover four cycles of
/// latency on two ports with room to spare.
/// </summary>
internal readonly unsafe struct PeakArithmetic(float* results, int iterations) : IRangeKernel
{
    private const int Chains = 12;

    private const int Iterations = 4_000_000;

    /// <summary>Best of <paramref name="runs"/> runs, in GFLOP/s.</summary>
    public static double Measure(Workers workers, int threads, int runs, float* results, int iterations = Iterations)
    {
        double best = 0;
        int lanes = workers.Isa switch { Isa.Avx512 => 16, Isa.Avx2 => 8, _ => 4 };
        for (int run = 0; run < runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            workers.For(threads, 1, new PeakArithmetic(results, iterations));
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            best = Math.Max(best, 2.0 * Chains * lanes * iterations * threads / seconds / 1e9);
        }

        return best;
    }

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        V x = O.Broadcast(0.9999f), y = O.Broadcast(1e-4f);
        V a = O.Zero, b = O.Zero, c = O.Zero, d = O.Zero, e = O.Zero, f = O.Zero;
        V g = O.Zero, h = O.Zero, i = O.Zero, j = O.Zero, k = O.Zero, l = O.Zero;
        for (int n = iterations * (end - begin); n > 0; n--)
        {
            a = O.MultiplyAdd(x, a, y);
            b = O.MultiplyAdd(x, b, y);
            c = O.MultiplyAdd(x, c, y);
            d = O.MultiplyAdd(x, d, y);
            e = O.MultiplyAdd(x, e, y);
            f = O.MultiplyAdd(x, f, y);
            g = O.MultiplyAdd(x, g, y);
            h = O.MultiplyAdd(x, h, y);
            i = O.MultiplyAdd(x, i, y);
            j = O.MultiplyAdd(x, j, y);
            k = O.MultiplyAdd(x, k, y);
            l = O.MultiplyAdd(x, l, y);
        }

        V sum = O.Add(O.Add(O.Add(a, b), O.Add(c, d)), O.Add(O.Add(e, f), O.Add(g, h)));
        results[worker] = O.Sum(O.Add(sum, O.Add(O.Add(i, j), O.Add(k, l))));
    }
}
