using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>The tile in C# at any vector width: <see cref="RegisterTile"/> over words of one float.</summary>
internal readonly unsafe struct LanesTile : ITile
{
    /// <summary>Rows packed together: their columns fill whole lines of the packed operand.</summary>
    private const int PackedRows = 8;

    public static int Elements => 1;

    public static int Rows => 8;

    /// <summary>Their part of x (128 x 512 floats) stays in a 1 MiB second-level cache next to a panel.</summary>
    public static int RowBlock => 128;

    /// <summary>The packed outputs with 512 rows take 384 KiB of the second-level cache.</summary>
    public static int OutputBlock => 192;

    public static int OutputGranule => 8;

    public static int MaxPanelColumns => RegisterTile.PanelVectors * 16;

    public static int PanelColumns(Isa isa) => RegisterTile.PanelVectors * (isa == Isa.Avx512 ? 16 : isa == Isa.Avx2 ? 8 : 4);

    public static int PanelColumns<V, O>()
        where V : struct
        where O : ILanes<V> => RegisterTile.PanelVectors * O.Count;

    public static int RowsPerCall<V, O>()
        where V : struct
        where O : ILanes<V> => RegisterTile.Rows<V, O>();

    public static int GroupColumns<V, O>()
        where V : struct
        where O : ILanes<V> => RegisterTile.Rows<V, O>();

    public static int Words(int elements) => elements;

    public static bool IsRowOf<E>()
        where E : struct, IElement => typeof(E) == typeof(F32Element);

    public static void CopyRow<V, O, E>(void* row, int depth, uint* destination)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        for (int d = 0; d < depth; d += O.Count)
        {
            VectorMath.Store<V, O>(E.Load<V, O>(row, d, depth - d), (float*)destination + d, depth - d);
        }
    }

    public static void PackColumns<V, O, E>(byte** rows, int count, int columns, uint* packed, uint* staging)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        int group = RegisterTile.Rows<V, O>();
        float** floats = stackalloc float*[PackedRows];
        for (int first = 0; first < count; first += PackedRows)
        {
            int together = Math.Min(PackedRows, count - first);
            for (int r = 0; r < together; r++)
            {
                floats[r] = (float*)rows[first + r];
                if (typeof(E) != typeof(F32Element))
                {
                    floats[r] = (float*)staging + r * OutputBlock;
                    CopyRow<V, O, E>(rows[first + r], columns, (uint*)floats[r]);
                }
            }

            for (int n = 0; n < columns; n += group)
            {
                for (int r = 0; r < together; r++)
                {
                    PackGroup(floats[r] + n, Math.Min(group, columns - n), group, (float*)packed + (nint)n * count + (first + r) * group);
                }
            }
        }
    }

    public static void PackPanel<V, O, E>(byte** rows, int count, int columns, uint* panel)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        for (int r = 0; r < count; r++)
        {
            Panels.Row<V, O, E>(rows[r], columns, (float*)panel + (nint)r * PanelColumns<V, O>());
        }
    }

    public static void PackForward<V, O, E>(float* w, int outputs, int inputs, uint* panel)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        int width = PanelColumns<V, O>();
        Panels.FromColumns<V, O>(w, inputs, inputs, outputs, width, (float*)panel);
        for (int i = 0; typeof(E) != typeof(F32Element) && i < inputs * width; i += O.Count)
        {
            O.Store(E.Load<V, O>(panel, i, O.Count), (float*)panel + i);
        }
    }

    public static void PackBackward<V, O, E>(float* w, int outputs, int inputs, uint* panels, nint panelWords)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        int width = PanelColumns<V, O>();
        for (int k = 0; k < inputs; k += width, panels += panelWords)
        {
            for (int n = 0; n < outputs; n++)
            {
                Panels.Row<V, O, E>(w + (nint)n * inputs + k, Math.Min(width, inputs - k), (float*)panels + (nint)n * width);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Multiply<V, O>(
        byte** a, bool packed, uint* panel, int words, float* c, nint cStep, int rows, int columns, bool accumulate)
        where V : struct
        where O : ILanes<V> =>
        RegisterTile.Multiply<V, O>(
            (float**)a, packed ? RegisterTile.Rows<V, O>() : 1, (float*)panel, PanelColumns<V, O>(), words, c, cStep, rows, columns,
            accumulate);

    /// <summary>One row of a group, 0 beyond the last column.</summary>
    private static void PackGroup(float* from, int columns, int group, float* to)
    {
        if (columns < group)
        {
            new Span<float>(to, group).Clear();
            new ReadOnlySpan<float>(from, columns).CopyTo(new Span<float>(to, group));
        }
        else if (group == 8)
        {
            Vector256.Load(from).Store(to);
        }
        else
        {
            Vector128.Load(from).Store(to);
        }
    }
}
