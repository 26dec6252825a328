using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>The tile of 6 rows x 64 columns over words <typeparamref name="W"/>, multiplied by <typeparamref name="K"/>.</summary>
internal readonly unsafe struct WordTile<W, K> : ITile
    where W : struct, IWord
    where K : struct, IWordKernel
{
    private const int Lanes = AssembledTile.Lanes, Width = AssembledTile.Columns;

    public static int Elements => W.Elements;

    public static int Rows => AssembledTile.Rows;

    /// <summary>Whole tiles: with a pass of words they take 384 KiB of the second-level cache.</summary>
    public static int RowBlock => 32 * AssembledTile.Rows;

    /// <summary>With 512 rows, an even share of tokens in the bench model, they take half of a 1 MiB second-level cache.</summary>
    public static int OutputBlock => 256 * W.Elements;

    public static int OutputGranule => Lanes;

    public static int MaxPanelColumns => Width;

    public static int PanelColumns(Isa isa) => Width;

    public static int PanelColumns<V, O>()
        where V : struct
        where O : ILanes<V> => Width;

    /// <summary>The loop over rows is inside the kernel.</summary>
    public static int RowsPerCall<V, O>()
        where V : struct
        where O : ILanes<V> => int.MaxValue;

    public static int GroupColumns<V, O>()
        where V : struct
        where O : ILanes<V> => Lanes;

    public static int Words(int elements) => Words<W>.Count(elements);

    public static bool IsRowOf<E>()
        where E : struct, IElement => W.IsRowOf<E>();

    public static void CopyRow<V, O, E>(void* row, int depth, uint* destination)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement => Words<W>.Row<E>(row, depth, destination);

    public static void PackColumns<V, O, E>(byte** rows, int count, int columns, uint* packed, uint* staging)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement =>
        Words<W>.Interleave<E>(
            rows, count, columns, (columns + Lanes - 1) / Lanes * Lanes, packed, Lanes, (nint)Words<W>.Count(count) * Lanes);

    public static void PackPanel<V, O, E>(byte** rows, int count, int columns, uint* panel)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement => Words<W>.Interleave<E>(rows, count, columns, Width, panel, Width, Lanes);

    public static void PackForward<V, O, E>(float* w, int outputs, int inputs, uint* panel)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        Words<W>.Transpose<E>((byte*)w, inputs, outputs, inputs, panel, streams: true);

        // Stores that bypass the caches are visible to the workers that read the panel next.
        if (Sse.IsSupported)
        {
            Sse.StoreFence();
        }
    }

    public static void PackBackward<V, O, E>(float* w, int outputs, int inputs, uint* panels, nint panelWords)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        for (int n = 0; n < outputs; n += W.Elements, panels += Width)
        {
            float* row0 = w + (nint)n * inputs, row1 = W.Elements == 2 && n + 1 < outputs ? row0 + inputs : null;
            uint* line = panels;
            for (int k = 0; k < inputs; k += Width, line += panelWords)
            {
                Words<W>.Line<E>((byte*)(row0 + k), row1 is null ? null : (byte*)(row1 + k), inputs - k, Width, line, Lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply<V, O>(
        byte** a, bool packed, uint* panel, int words, float* c, nint cStep, int rows, int columns, bool accumulate)
        where V : struct
        where O : ILanes<V>
    {
        var tile = new TileArguments
        {
            A = a,
            B = (byte*)panel,
            Words = words,
            C = c,
            CStep = (long)cStep * sizeof(float),
            Rows = rows,
            Accumulate = accumulate ? 1 : 0,
        };
        K.Multiply(ref tile, W.Product, columns, packed ? AssembledTile.PackedStep : AssembledTile.RowStep);
    }
}
