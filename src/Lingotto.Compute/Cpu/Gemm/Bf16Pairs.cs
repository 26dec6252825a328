using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>
/// Lays operands out as pairs of bfloat16 along the summed dimension, the unit of <see cref="Bf16Tile"/>: one 32-bit word
/// holds elements 2p (lower half) and 2p + 1 of a column. 512-bit only: the tile runs nowhere else.
/// </summary>
internal static unsafe class Bf16Pairs
{
    private const int Lanes = Bf16Tile.Lanes;

    /// <summary>Pairs that hold <paramref name="depth"/> elements; an odd one is paired with 0.</summary>
    public static int Count(int depth) => (depth + 1) / 2;

    /// <summary>Words of a panelled operand of <paramref name="depth"/> x <paramref name="columns"/>.</summary>
    public static long Length(int depth, int columns) =>
        (long)Bf16Tile.Panels(columns) * Bf16Tile.Columns * Count(depth);

    /// <summary>
    /// The sum runs over rows: word j of group g of pair p is (row[2p][16 g + j], row[2p + 1][16 g + j]), 0 where a row or a
    /// column does not exist.
    /// </summary>
    /// <param name="rows">A pointer for each row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="columns">Columns that exist.</param>
    /// <param name="width">Columns to write, a multiple of 16.</param>
    /// <param name="destination">Pair 0 of group 0.</param>
    /// <param name="pairStep">Words between pairs.</param>
    /// <param name="groupStep">Words between groups.</param>
    public static void Interleave<E>(byte** rows, int count, int columns, int width, uint* destination, nint pairStep, nint groupStep)
        where E : struct, IElement
    {
        // A strip of four groups at a time: whole cache lines of the rows are read, four lines are written side by side.
        for (int strip = 0; strip < width; strip += Bf16Tile.Columns, destination += Bf16Tile.Columns / Lanes * groupStep)
        {
            int p = 0;
            for (; columns - strip >= Bf16Tile.Columns && p < count / 2; p++)
            {
                WholeLine<E>(rows[2 * p] + strip * E.Size, rows[2 * p + 1] + strip * E.Size, destination + p * pairStep, groupStep);
            }

            for (; p < Count(count); p++)
            {
                byte* row0 = rows[2 * p] + strip * E.Size, row1 = 2 * p + 1 < count ? rows[2 * p + 1] + strip * E.Size : null;
                Line<E>(row0, row1, columns - strip, Math.Min(Bf16Tile.Columns, width - strip), destination + p * pairStep, groupStep);
            }
        }
    }

    /// <summary>One pair of rows of <see cref="Interleave{E}"/>, up to 64 columns.</summary>
    public static void Line<E>(byte* row0, byte* row1, int columns, int width, uint* destination, nint groupStep)
        where E : struct, IElement
    {
        if (row1 is not null && columns >= Bf16Tile.Columns && width == Bf16Tile.Columns)
        {
            WholeLine<E>(row0, row1, destination, groupStep);
            return;
        }

        for (int j = 0; j < width; j += Lanes, destination += groupStep)
        {
            Vector512<uint> word = Bits<E>(row0, j, columns - j) >> 16;
            if (row1 is not null)
            {
                word |= Bits<E>(row1, j, columns - j);
            }

            word.Store(destination);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void WholeLine<E>(byte* row0, byte* row1, uint* destination, nint groupStep)
        where E : struct, IElement
    {
        if (typeof(E) != typeof(Bf16Element))
        {
            for (int group = 0; group < Bf16Tile.Columns / Lanes; group++)
            {
                Vector512<uint> even = Lanes512.RoundToBf16(Vector512.Load((float*)row0 + group * Lanes)).AsUInt32();
                Vector512<uint> odd = Lanes512.RoundToBf16(Vector512.Load((float*)row1 + group * Lanes)).AsUInt32();
                ((even >> 16) | odd).Store(destination + group * groupStep);
            }

            return;
        }

        // Elements 0-15, then 16-31, of two registers in turn.
        var low = Vector512.Create(
            (ushort)0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
        var high = Vector512.Create(
            (ushort)16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63);
        Vector512<ushort> x0 = Vector512.Load((ushort*)row0), x1 = Vector512.Load((ushort*)row0 + 2 * Lanes);
        Vector512<ushort> y0 = Vector512.Load((ushort*)row1), y1 = Vector512.Load((ushort*)row1 + 2 * Lanes);
        Avx512BW.PermuteVar32x16x2(x0, low, y0).AsUInt32().Store(destination);
        Avx512BW.PermuteVar32x16x2(x0, high, y0).AsUInt32().Store(destination + groupStep);
        Avx512BW.PermuteVar32x16x2(x1, low, y1).AsUInt32().Store(destination + 2 * groupStep);
        Avx512BW.PermuteVar32x16x2(x1, high, y1).AsUInt32().Store(destination + 3 * groupStep);
    }

    /// <summary>
    /// The sum runs along rows: panel[p][j] = (row_j[2p], row_j[2p + 1]) for up to 64 rows, 0 where a row or element does not
    /// exist. <paramref name="step"/> is in elements.
    /// </summary>
    public static void Transpose<E>(byte* rows, nint step, int count, int depth, uint* panel, bool streams = false)
        where E : struct, IElement
    {
        for (int p = 0; p < Count(depth); p += Lanes)
        {
            for (int first = 0; first < Bf16Tile.Columns; first += Lanes)
            {
                Block<E>(rows + first * step * E.Size, step, count - first, 2 * p, depth, panel + (nint)p * Bf16Tile.Columns + first, streams);
            }
        }
    }

    /// <summary>destination[i] = (row[2i], row[2i + 1]), the row itself in bfloat16, an odd end paired with 0.</summary>
    public static void Row<E>(void* row, int depth, uint* destination)
        where E : struct, IElement
    {
        int d = 0;
        for (; d + 2 * Lanes <= depth; d += 2 * Lanes)
        {
            Pairs<E>(row, d, depth).Store(destination + d / 2);
        }

        if (d < depth)
        {
            uint* edge = stackalloc uint[Lanes];
            Pairs<E>(row, d, depth).Store(edge);
            for (int i = 0; i < Count(depth - d); i++)
            {
                destination[d / 2 + i] = edge[i];
            }
        }
    }

    /// <summary>16 rows x 16 pairs, turned.</summary>
    private static void Block<E>(byte* rows, nint step, int count, int first, int depth, uint* to, bool streams)
        where E : struct, IElement
    {
        Transpose16.Store(
            Of(0), Of(1), Of(2), Of(3), Of(4), Of(5), Of(6), Of(7), Of(8), Of(9), Of(10), Of(11), Of(12), Of(13), Of(14), Of(15),
            to, Bf16Tile.Columns, Math.Min(Lanes, Count(depth) - first / 2), streams);

        Vector512<uint> Of(int row) => row < count ? Pairs<E>(rows + row * step * E.Size, first, depth) : Vector512<uint>.Zero;
    }

    /// <summary>The bfloat16 of 16 elements, each in the upper half of a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Bits<E>(void* row, int at, int remaining)
        where E : struct, IElement
    {
        Vector512<float> x = E.Load<Vector512<float>, Lanes512>(row, at, remaining);
        return (typeof(E) == typeof(Bf16Element) ? x : Lanes512.RoundToBf16(x)).AsUInt32();
    }

    /// <summary>16 pairs of consecutive elements, 0 beyond the depth.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Pairs<E>(void* row, int at, int depth)
        where E : struct, IElement
    {
        if (typeof(E) == typeof(Bf16Element) && depth - at >= 2 * Lanes)
        {
            return Vector512.Load((ushort*)row + at).AsUInt32();
        }

        Vector256<ushort> low = Avx512F.ConvertToVector256UInt16(Bits<E>(row, at, depth - at) >> 16);
        Vector256<ushort> high = Avx512F.ConvertToVector256UInt16(Bits<E>(row, at + Lanes, depth - at - Lanes) >> 16);
        return Vector512.Create(low, high).AsUInt32();
    }
}
