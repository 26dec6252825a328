using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>What an assembled tile kernel is called with; the layout is the kernel's, offset by offset.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TileArguments
{
    /// <summary>A pointer for each row, the count rounded up to whole tiles.</summary>
    public byte** A;

    /// <summary>First word of the panel.</summary>
    public byte* B;

    /// <summary>Words to sum over.</summary>
    public long Words;

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

/// <summary>What a kernel does with two words.</summary>
internal enum TileProduct
{
    /// <summary>a b in single precision.</summary>
    Floats,

    /// <summary>a[0] b[0] + a[1] b[1] in bfloat16, summed in single precision.</summary>
    Bf16Pairs,
}

/// <summary>
/// c[i, j] (+)= sum_p a_i[p] b[p, j] over words of floats or of pairs in bfloat16, for any number of rows and one panel of up to
/// 64 columns, by kernels that are assembled when first needed: .NET 10 has no intrinsic for VDPBF16PS, and a loop over
/// rows inside the kernel keeps single precision at its peak as well.
/// </summary>
internal readonly unsafe struct AssembledTile : IWordKernel
{
    /// <summary>Rows of a register tile: 6 rows x 4 registers are 24 accumulators, 24 multiply-adds for 10 loads.</summary>
    public const int Rows = 6;

    /// <summary>Columns of a panel: four registers.</summary>
    public const int Columns = 64;

    /// <summary>Columns of a register.</summary>
    public const int Lanes = 16;

    /// <summary>Bytes of a word in the left operand when a row is read in place.</summary>
    public const int RowStep = 4;

    /// <summary>Bytes of a word in the left operand when it is packed in groups of <see cref="Lanes"/>.</summary>
    public const int PackedStep = 4 * Lanes;

    private const int Shapes = Columns / Lanes;

    private static readonly Lazy<Kernels>[] s_kernels =
        [new(() => Assemble(TileProduct.Floats)), new(() => Assemble(TileProduct.Bf16Pairs))];

    /// <summary>Why the kernels cannot run here; null where they can.</summary>
    public static string? Refusal(TileProduct product) => s_kernels[(int)product].Value.Refusal;

    /// <summary>Panels that hold <paramref name="columns"/> columns.</summary>
    public static int Panels(int columns) => (columns + Columns - 1) / Columns;

    /// <summary>Runs the narrowest kernel that holds <paramref name="columns"/> columns.</summary>
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply(ref TileArguments arguments, TileProduct product, int columns, int step)
    {
        Debug.Assert(arguments.Rows > 0 && columns is > 0 and <= Columns && step is RowStep or PackedStep);
        int vectors = (columns + Lanes - 1) / Lanes, kind = step == PackedStep ? 2 : arguments.Rows == 1 ? 1 : 0;
        arguments.LastMask = (1L << (columns - (vectors - 1) * Lanes)) - 1;
        nint kernel = s_kernels[(int)product].Value.Of[kind * Shapes + vectors - 1];
        fixed (TileArguments* a = &arguments)
        {
            // SAFETY: the code was assembled for this signature; the caller guarantees the ranges of the pointers.
            ((delegate* unmanaged<TileArguments*, void>)kernel)(a);
        }
    }

    private static Kernels Assemble(TileProduct product)
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            return new([], "the assembled kernels are for Linux on x64");
        }

        if (!Avx512BW.IsSupported)
        {
            return new([], "the chip has no AVX-512");
        }

        if (product == TileProduct.Bf16Pairs && (X86Base.CpuId(7, 0).Eax < 1 || (X86Base.CpuId(7, 1).Eax & (1 << 5)) == 0))
        {
            return new([], "the chip has no AVX512_BF16");
        }

        try
        {
            var of = new nint[3 * Shapes];
            for (int vectors = 1; vectors <= Shapes; vectors++)
            {
                of[vectors - 1] = Place(Rows, RowStep);
                of[Shapes + vectors - 1] = Place(1, RowStep);
                of[2 * Shapes + vectors - 1] = Place(Rows, PackedStep);
                nint Place(int rows, int step) => ExecutableMemory.Place(new TileAssembler(product, rows, vectors, step).Assemble());
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
