using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>
/// Lays operands out as words along the summed dimension, the unit of <see cref="AssembledTile"/>. 512-bit only: the tile
/// runs nowhere else.
/// </summary>
internal static unsafe class Words<W>
    where W : struct, IWord
{
    private const int Lanes = AssembledTile.Lanes;

    private const int LineBytes = 64;

    /// <summary>Rows fetched ahead of the one that is laid out: from 8 to 64 measured, 32 was best by a little.</summary>
    private const int RowsAhead = 32;

    /// <summary>Words that hold <paramref name="depth"/> elements.</summary>
    public static int Count(int depth) => (depth + W.Elements - 1) / W.Elements;

    /// <summary>
    /// The sum runs over rows: word j of group g of line p holds column 16 g + j of the rows p, or 2p and 2p + 1; 0 where a row
    /// or a column does not exist.
    /// </summary>
    /// <param name="rows">A pointer for each row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="columns">Columns that exist.</param>
    /// <param name="width">Columns to write, a multiple of 16.</param>
    /// <param name="destination">Line 0 of group 0.</param>
    /// <param name="lineStep">Words between lines.</param>
    /// <param name="groupStep">Words between groups.</param>
    public static void Interleave<E>(byte** rows, int count, int columns, int width, uint* destination, nint lineStep, nint groupStep)
        where E : struct, IElement
    {
        // A strip of four groups at a time: whole cache lines of the rows are read, four lines are written side by side.
        for (int strip = 0; strip < width; strip += AssembledTile.Columns, destination += AssembledTile.Columns / Lanes * groupStep)
        {
            for (int p = 0; p < Count(count); p++)
            {
                int row = p * W.Elements;
                for (int ahead = row + RowsAhead; ahead < Math.Min(row + RowsAhead + W.Elements, count); ahead++)
                {
                    Prefetch<E>(rows[ahead] + strip * E.Size, columns - strip);
                }

                byte* row0 = rows[row] + strip * E.Size, row1 = W.Elements == 2 && row + 1 < count ? rows[row + 1] + strip * E.Size : null;
                Line<E>(row0, row1, columns - strip, Math.Min(AssembledTile.Columns, width - strip), destination + p * lineStep, groupStep);
            }
        }
    }

    /// <summary>One line of <see cref="Interleave{E}"/>, up to 64 columns.</summary>
    public static void Line<E>(byte* row0, byte* row1, int columns, int width, uint* destination, nint groupStep)
        where E : struct, IElement
    {
        if ((W.Elements == 1 || row1 is not null) && columns >= AssembledTile.Columns && width == AssembledTile.Columns)
        {
            W.WholeLine<E>(row0, row1, destination, groupStep);
            return;
        }

        for (int j = 0; j < width; j += Lanes, destination += groupStep)
        {
            W.Down<E>(row0, row1, j, columns - j).Store(destination);
        }
    }

    /// <summary>
    /// The sum runs along rows: panel[p][j] is word p of row j for up to 64 rows, 0 where a row or element does not exist.
    /// <paramref name="step"/> is in elements.
    /// </summary>
    public static void Transpose<E>(byte* rows, nint step, int count, int depth, uint* panel, bool streams = false)
        where E : struct, IElement
    {
        for (int p = 0; p < Count(depth); p += Lanes)
        {
            for (int first = 0; first < AssembledTile.Columns; first += Lanes)
            {
                Block<E>(
                    rows + (first * step + p * W.Elements) * E.Size, step, count - first, depth - p * W.Elements,
                    panel + (nint)p * AssembledTile.Columns + first, streams);
            }
        }
    }

    /// <summary>The words of a row, one after another.</summary>
    public static void Row<E>(void* row, int depth, uint* destination)
        where E : struct, IElement
    {
        int words = Count(depth), p = 0;
        for (; p + Lanes <= words; p += Lanes)
        {
            W.Along<E>(row, p * W.Elements, depth - p * W.Elements).Store(destination + p);
        }

        if (p < words)
        {
            uint* edge = stackalloc uint[Lanes];
            W.Along<E>(row, p * W.Elements, depth - p * W.Elements).Store(edge);
            for (int i = 0; p + i < words; i++)
            {
                destination[p + i] = edge[i];
            }
        }
    }

    /// <summary>Rows of a gather are at any address, so the chip does not prefetch them.</summary>
    private static void Prefetch<E>(byte* row, int columns)
        where E : struct, IElement
    {
        for (int b = 0; b < Math.Min(AssembledTile.Columns, columns) * E.Size; b += LineBytes)
        {
            CacheHints.ToFirstLevel((float*)(row + b));
        }
    }

    /// <summary>
    /// 16 rows x 16 words, transposed. A block that lacks rows or elements is read separately, so that the others need no check at each
    /// load.
    /// </summary>
    private static void Block<E>(byte* rows, nint step, int count, int depth, uint* to, bool streams)
        where E : struct, IElement
    {
        if (count < Lanes || depth < Lanes * W.Elements)
        {
            RaggedBlock<E>(rows, step, count, depth, to, streams);
            return;
        }

        Transpose16.Store(
            Of(0), Of(1), Of(2), Of(3), Of(4), Of(5), Of(6), Of(7), Of(8), Of(9), Of(10), Of(11), Of(12), Of(13), Of(14), Of(15),
            to, AssembledTile.Columns, Lanes, streams);

        Vector512<uint> Of(int row) => W.Along<E>(rows + row * step * E.Size, 0, Lanes * W.Elements);
    }

    private static void RaggedBlock<E>(byte* rows, nint step, int count, int depth, uint* to, bool streams)
        where E : struct, IElement
    {
        uint* words = stackalloc uint[Lanes * Lanes];
        for (int row = 0; row < Lanes; row++)
        {
            Vector512<uint> word = row < count ? W.Along<E>(rows + row * step * E.Size, 0, depth) : Vector512<uint>.Zero;
            word.Store(words + row * Lanes);
        }

        Transpose16.Store(
            Of(0), Of(1), Of(2), Of(3), Of(4), Of(5), Of(6), Of(7), Of(8), Of(9), Of(10), Of(11), Of(12), Of(13), Of(14), Of(15),
            to, AssembledTile.Columns, Math.Min(Lanes, Count(depth)), streams);

        Vector512<uint> Of(int row) => Vector512.Load(words + row * Lanes);
    }
}
