using System.Diagnostics;

namespace Lingotto.Compute;

/// <summary>Bytes a second that the chip reads from a buffer far larger than its caches, summed in four chains.</summary>
internal readonly unsafe struct ReadBandwidth(float* buffer, long floatsPerThread, float* results) : IRangeKernel
{
    private const long BufferFloats = 64L << 20;

    /// <summary>Best of <paramref name="runs"/> runs, in GB/s.</summary>
    public static double Measure(Workers workers, int threads, int runs, float* results)
    {
        using var block = new HostBlock(BufferFloats * sizeof(float));
        float* buffer = (float*)block.Pointer;
        Elementwise.Fill(workers, buffer, 1f, BufferFloats);
        double best = 0;
        for (int run = 0; run < runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            workers.For(threads, 1, new ReadBandwidth(buffer, BufferFloats / threads, results));
            best = Math.Max(best, BufferFloats * sizeof(float) / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }

        return best;
    }

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        V a = O.Zero, b = O.Zero, c = O.Zero, d = O.Zero;
        float* from = buffer + begin * floatsPerThread;
        for (long i = 0; i < floatsPerThread * (end - begin); i += 4 * O.Count)
        {
            a = O.Add(a, O.Load(from + i));
            b = O.Add(b, O.Load(from + i + O.Count));
            c = O.Add(c, O.Load(from + i + 2 * O.Count));
            d = O.Add(d, O.Load(from + i + 3 * O.Count));
        }

        results[worker] = O.Sum(O.Add(O.Add(a, b), O.Add(c, d)));
    }
}
