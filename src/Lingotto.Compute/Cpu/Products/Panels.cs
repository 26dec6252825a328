using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>
/// The right operand of a matmul, laid out so that the inner loop reads it front to back: panels[p][d][j] =
/// b[d, p * width + j], zero where the column does not exist. Width is three registers.
/// </summary>
internal static unsafe class Panels
{
    /// <summary>One row of one panel.</summary>
    public static void Row<V, O, E>(void* source, int columns, float* destination)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        for (int j = 0; j < RegisterTile.PanelVectors * O.Count; j += O.Count)
        {
            O.Store(E.Load<V, O>(source, j, columns - j), destination + j);
        }
    }

    /// <summary>A panel of b[d, j] = source[j * step + d]: columns are rows of the source, so the block is transposed.</summary>
    public static void FromColumns<V, O>(float* source, nint step, int depth, int columns, int width, float* panel)
        where V : struct
        where O : ILanes<V>
    {
        // Four cache lines of each source row at a time: enough in flight to hide memory, few enough to stay in the first level.
        const int Block = 64;
        for (int d0 = 0; d0 < depth; d0 += Block)
        {
            int last = Math.Min(d0 + Block, depth);
            int transposed = O.Count == 16 && last - d0 == Block
                ? Transpose16Rows(source + d0, step, columns, panel + (nint)d0 * width, width) : 0;
            for (int j = transposed; j < width; j += 4)
            {
                float* from = source + j * step, to = panel + j;
                int d = d0;
                if (j + 4 <= columns)
                {
                    for (; d + 4 <= last; d += 4)
                    {
                        Transpose4(from + d, step, to + (nint)d * width, width);
                    }
                }

                for (; d < last; d++)
                {
                    for (int i = 0; i < 4; i++)
                    {
                        to[(nint)d * width + i] = j + i < columns ? from[i * step + d] : 0f;
                    }
                }
            }
        }
    }

    /// <summary>As many columns as make whole blocks of 16, over 64 steps of depth; returns how many.</summary>
    private static int Transpose16Rows(float* from, nint step, int columns, float* to, int width)
    {
        int j = 0;
        for (; j + 16 <= columns; j += 16, from += 16 * step, to += 16)
        {
            for (int d = 0; d < 64; d += 16)
            {
                Transpose16.Store(
                    Of(0), Of(1), Of(2), Of(3), Of(4), Of(5), Of(6), Of(7), Of(8), Of(9), Of(10), Of(11), Of(12), Of(13), Of(14), Of(15),
                    (uint*)to + (nint)d * width, width, 16, streams: false);
                Vector512<uint> Of(int row) => Vector512.Load((uint*)from + row * step + d);
            }
        }

        return j;
    }

    private static void Transpose4(float* from, nint step, float* to, nint toStep)
    {
        if (!Sse.IsSupported)
        {
            for (int i = 0; i < 16; i++)
            {
                to[i / 4 * toStep + i % 4] = from[i % 4 * step + i / 4];
            }

            return;
        }

        Vector128<float> row0 = Vector128.Load(from), row1 = Vector128.Load(from + step);
        Vector128<float> row2 = Vector128.Load(from + 2 * step), row3 = Vector128.Load(from + 3 * step);
        Vector128<float> low01 = Sse.UnpackLow(row0, row1), high01 = Sse.UnpackHigh(row0, row1);
        Vector128<float> low23 = Sse.UnpackLow(row2, row3), high23 = Sse.UnpackHigh(row2, row3);
        Sse.MoveLowToHigh(low01, low23).Store(to);
        Sse.MoveHighToLow(low23, low01).Store(to + toStep);
        Sse.MoveLowToHigh(high01, high23).Store(to + 2 * toStep);
        Sse.MoveHighToLow(high23, high01).Store(to + 3 * toStep);
    }
}
