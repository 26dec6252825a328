using System.Diagnostics;
using Lingotto.Compute;

namespace Lingotto.Diagnostics;

/// <summary>y = x w^T with neither operand prepared: the layout of w is made inside the clock. Best of several runs.</summary>
internal static class MatMulMeasurement
{
    private const int Runs = 12;

    /// <summary>The runtime compiles small methods quickly first and well only after some calls and a tenth of a second.</summary>
    private static readonly TimeSpan s_least = TimeSpan.FromSeconds(0.5);

    /// <summary>Gigaflops of a product [m, k] x [n, k]^T; both operands are F32 in memory, whatever the precision.</summary>
    public static double Gflops(Device device, DType precision, int m, int n, int k)
    {
        using Arena plan = Arena.Measure();
        Allocate(device, plan, precision, m, n, k, out _, out _, out _);
        using var arena = new Arena(device, plan.Used);
        Allocate(device, arena, precision, m, n, k, out Tensor x, out PreparedWeight w, out Tensor y);
        device.Fill(x, 0.5f);
        device.Fill(w.Weight, 0.25f);
        double best = double.PositiveInfinity;
        long begin = Stopwatch.GetTimestamp();
        for (int run = 0; run < Runs || Stopwatch.GetElapsedTime(begin) < s_least; run++)
        {
            long start = Stopwatch.GetTimestamp();
            device.Refresh(w);
            device.MatMulForward(x, w, y);
            device.Synchronize();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return 2.0 * m * n * k / best / 1e9;
    }

    private static void Allocate(
        Device device, Arena arena, DType precision, int m, int n, int k, out Tensor x, out PreparedWeight w, out Tensor y)
    {
        x = arena.Allocate(DType.F32, m, k);
        w = device.Prepare(arena.Allocate(DType.F32, n, k), arena, trained: false, precision);
        y = arena.Allocate(DType.F32, m, n);
    }
}
