using System.Diagnostics;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Lingotto.Compute;

/// <summary>The chip's peak in bfloat16: sixteen independent chains of VDPBF16PS that touch registers only.</summary>
internal readonly unsafe struct Bf16Peak(long iterations) : IRangeKernel
{
    private const int Chains = 16;

    private const long Iterations = 3_000_000;

    /// <summary>Multiplications and additions of one instruction: 16 lanes of two pairs.</summary>
    private const int OperationsPerInstruction = 16 * 2 * 2;

    private static readonly Lazy<nint> s_loop = new(() => ExecutableMemory.Place(Assemble()));

    /// <summary>Best of <paramref name="runs"/> runs, in GFLOP/s.</summary>
    public static double Measure(Workers workers, int threads, int runs, long iterations = Iterations)
    {
        double best = 0;
        for (int run = 0; run < runs; run++)
        {
            long start = Stopwatch.GetTimestamp();
            workers.For(threads, 1, new Bf16Peak(iterations));
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            best = Math.Max(best, (double)OperationsPerInstruction * Chains * iterations * threads / seconds / 1e9);
        }

        return best;
    }

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int i = begin; i < end; i++)
        {
            // SAFETY: the code was assembled for this signature and touches registers only.
            ((delegate* unmanaged<long, void>)s_loop.Value)(iterations);
        }
    }

    private static byte[] Assemble()
    {
        AssemblerRegisterZMM[] sums =
            [zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15, zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23];
        var c = new Assembler(64);
        Label loop = c.CreateLabel();
        foreach (AssemblerRegisterZMM sum in sums.Append(zmm0))
        {
            c.vpxord(sum, sum, sum);
        }

        c.Label(ref loop);
        foreach (AssemblerRegisterZMM sum in sums)
        {
            c.vdpbf16ps(sum, zmm0, zmm0);
        }

        c.dec(rdi);
        c.jnz(loop);
        c.vzeroupper();
        c.ret();
        using var code = new MemoryStream();
        c.Assemble(new StreamCodeWriter(code), 0);
        return code.ToArray();
    }
}
