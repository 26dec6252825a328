namespace Lingotto.Compute;

/// <summary>
/// The peak of bfloat16 divided by the peak of F32 on one thread. CPUID cannot say: VDPBF16PS runs at twice the rate of FMA on
/// Zen 4 and at half of it on Emerald Rapids.
/// </summary>
internal static unsafe class Bf16Ratio
{
    /// <summary>Pairs of runs; the best of each side counts, since a shared machine only ever slows a run down.</summary>
    private const int Pairs = 5;

    /// <summary>About a millisecond a run at 3 GHz: 12 chains at two a cycle, and 16 chains at one a cycle.</summary>
    private const int F32Iterations = 500_000, Bf16Iterations = 200_000;

    /// <summary>Measures both peaks in turn, so that a change of clock meets both alike.</summary>
    public static double Measure(Workers workers, float* results)
    {
        double f32 = 0, bf16 = 0;
        for (int pair = 0; pair < Pairs; pair++)
        {
            f32 = Math.Max(f32, PeakArithmetic.Measure(workers, threads: 1, runs: 1, results, F32Iterations));
            bf16 = Math.Max(bf16, Bf16Peak.Measure(workers, threads: 1, runs: 1, Bf16Iterations));
        }

        return bf16 / f32;
    }
}
