using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>What an assembled tile kernel is called with; the layout is the kernel's, offset by offset.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Bf16TileArguments
{
    /// <summary>A pointer for each row, the count rounded up to whole tiles.</summary>
    public byte** A;

    /// <summary>First pair of the panel.</summary>
    public byte* B;

    /// <summary>Pairs to sum over.</summary>
    public long Pairs;

    /// <summary>First row of the result.</summary>
    public float* C;

    /// <summary>Bytes between rows of the result.</summary>
    public long CStep;

    /// <summary>Rows of the result.</summary>
    public long Rows;

    /// <summary>Not 0: add to what the result holds.</summary>
    public long Accumulate;

    /// <summary>Columns of the last register that exist.</summary>
    public long LastMask;
}

/// <summary>
/// c[i, j] (+)= sum_p a_i[2p] b[2p, j] + a_i[2p + 1] b[2p + 1, j] in bfloat16 with single-precision sums, for any number of
/// rows and one panel of up to 64 columns, by kernels that are assembled when first needed: .NET 10 has no intrinsic for
/// the instruction (VDPBF16PS).
/// </summary>
internal static unsafe class Bf16Tile
{
    /// <summary>Rows of a register tile: 6 rows x 4 registers are 24 accumulators, 24 products for 10 loads.</summary>
    public const int Rows = 6;

    /// <summary>Columns of a panel: four registers.</summary>
    public const int Columns = 64;

    /// <summary>Columns of a register.</summary>
    public const int Lanes = 16;

    /// <summary>Bytes of a pair in the left operand when a row lies in memory as it is.</summary>
    public const int RowStep = 4;

    /// <summary>Bytes of a pair in the left operand when it is packed in groups of <see cref="Lanes"/>.</summary>
    public const int PackedStep = 4 * Lanes;

    private static readonly Lazy<Kernels> s_kernels = new(Assemble);

    /// <summary>Why the kernels cannot run here; null where they can.</summary>
    public static string? Refusal => s_kernels.Value.Refusal;

    /// <summary>Panels that hold <paramref name="columns"/> columns.</summary>
    public static int Panels(int columns) => (columns + Columns - 1) / Columns;

    /// <summary>Runs the narrowest kernel that holds <paramref name="columns"/> columns.</summary>
    /// <param name="arguments">Everything but the mask.</param>
    /// <param name="columns">1 to 64.</param>
    /// <param name="step"><see cref="RowStep"/> or <see cref="PackedStep"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(ref Bf16TileArguments arguments, int columns, int step)
    {
        Debug.Assert(arguments.Rows > 0 && columns is > 0 and <= Columns && step is RowStep or PackedStep);
        int vectors = (columns + Lanes - 1) / Lanes;
        arguments.LastMask = (1L << (columns - (vectors - 1) * Lanes)) - 1;
        nint kernel = s_kernels.Value.Of[(step == RowStep ? 0 : 4) + vectors - 1];
        fixed (Bf16TileArguments* a = &arguments)
        {
            // SAFETY: the code was assembled for this signature; the caller vouches for the ranges behind the pointers.
            ((delegate* unmanaged<Bf16TileArguments*, void>)kernel)(a);
        }
    }

    private static Kernels Assemble()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return new([], "the assembled kernels are for Linux on x64");
        }

        if (!Avx512BW.IsSupported || X86Base.CpuId(7, 0).Eax < 1 || (X86Base.CpuId(7, 1).Eax & (1 << 5)) == 0)
        {
            return new([], "the chip has no AVX512_BF16");
        }

        try
        {
            var of = new nint[8];
            for (int i = 0; i < of.Length; i++)
            {
                of[i] = ExecutableMemory.Place(Bf16TileAssembler.Assemble(i % 4 + 1, i < 4 ? RowStep : PackedStep));
            }

            return new(of, null);
        }
        catch (PlatformNotSupportedException e)
        {
            return new([], e.Message);
        }
    }

    private sealed record Kernels(nint[] Of, string? Refusal);
}
