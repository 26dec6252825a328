using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>
/// A block of 16 x 16 words transposed in 512-bit registers: neighbours change places within 128-bit lanes, pairs of words first
/// and quarters next, then the lanes themselves.
/// </summary>
internal static unsafe class Transpose16
{
    /// <summary>
    /// Stores the first <paramref name="lines"/> columns of the rows r0 to rF as lines <paramref name="step"/> words apart, past
    /// the caches where <paramref name="streams"/>: then every line must start on a multiple of 64 bytes.
    /// </summary>
    public static void Store(
        Vector512<uint> r0, Vector512<uint> r1, Vector512<uint> r2, Vector512<uint> r3,
        Vector512<uint> r4, Vector512<uint> r5, Vector512<uint> r6, Vector512<uint> r7,
        Vector512<uint> r8, Vector512<uint> r9, Vector512<uint> rA, Vector512<uint> rB,
        Vector512<uint> rC, Vector512<uint> rD, Vector512<uint> rE, Vector512<uint> rF,
        uint* to, nint step, int lines, bool streams)
    {
        if (!Avx512F.IsSupported)
        {
            StoreByElements([r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, rA, rB, rC, rD, rE, rF], to, step, lines);
            return;
        }

        Quarter(r0, r1, r2, r3, out Vector512<uint> a0, out Vector512<uint> a1, out Vector512<uint> a2, out Vector512<uint> a3);
        Quarter(r4, r5, r6, r7, out Vector512<uint> b0, out Vector512<uint> b1, out Vector512<uint> b2, out Vector512<uint> b3);
        Quarter(r8, r9, rA, rB, out Vector512<uint> c0, out Vector512<uint> c1, out Vector512<uint> c2, out Vector512<uint> c3);
        Quarter(rC, rD, rE, rF, out Vector512<uint> d0, out Vector512<uint> d1, out Vector512<uint> d2, out Vector512<uint> d3);
        Lanes(a0, b0, c0, d0, to, step, 0, lines, streams);
        Lanes(a1, b1, c1, d1, to, step, 1, lines, streams);
        Lanes(a2, b2, c2, d2, to, step, 2, lines, streams);
        Lanes(a3, b3, c3, d3, to, step, 3, lines, streams);
    }

    /// <summary>The same on a chip without AVX-512, where only tests come: lines[w][r] = rows[r][w].</summary>
    private static void StoreByElements(ReadOnlySpan<Vector512<uint>> rows, uint* to, nint step, int lines)
    {
        for (int line = 0; line < lines; line++)
        {
            for (int row = 0; row < rows.Length; row++)
            {
                to[line * step + row] = rows[row][line];
            }
        }
    }

    /// <summary>In each 128-bit lane, four rows of four words become four columns: word w of the lane goes to result w.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Quarter(
        Vector512<uint> x0, Vector512<uint> x1, Vector512<uint> x2, Vector512<uint> x3,
        out Vector512<uint> y0, out Vector512<uint> y1, out Vector512<uint> y2, out Vector512<uint> y3)
    {
        Vector512<ulong> low01 = Avx512F.UnpackLow(x0, x1).AsUInt64(), high01 = Avx512F.UnpackHigh(x0, x1).AsUInt64();
        Vector512<ulong> low23 = Avx512F.UnpackLow(x2, x3).AsUInt64(), high23 = Avx512F.UnpackHigh(x2, x3).AsUInt64();
        y0 = Avx512F.UnpackLow(low01, low23).AsUInt32();
        y1 = Avx512F.UnpackHigh(low01, low23).AsUInt32();
        y2 = Avx512F.UnpackLow(high01, high23).AsUInt32();
        y3 = Avx512F.UnpackHigh(high01, high23).AsUInt32();
    }

    /// <summary>Lane l of the four operands holds column 4 l + <paramref name="column"/> of rows 0-3, 4-7, 8-11, 12-15.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Lanes(
        Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, uint* to, nint step, int column, int lines,
        bool streams)
    {
        Vector512<uint> ab01 = Avx512F.Shuffle4x128(a, b, 0x44), ab23 = Avx512F.Shuffle4x128(a, b, 0xEE);
        Vector512<uint> cd01 = Avx512F.Shuffle4x128(c, d, 0x44), cd23 = Avx512F.Shuffle4x128(c, d, 0xEE);
        Put(Avx512F.Shuffle4x128(ab01, cd01, 0x88), to, step, column, lines, streams);
        Put(Avx512F.Shuffle4x128(ab01, cd01, 0xDD), to, step, column + 4, lines, streams);
        Put(Avx512F.Shuffle4x128(ab23, cd23, 0x88), to, step, column + 8, lines, streams);
        Put(Avx512F.Shuffle4x128(ab23, cd23, 0xDD), to, step, column + 12, lines, streams);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(Vector512<uint> line, uint* to, nint step, int column, int lines, bool streams)
    {
        if (column < lines && streams)
        {
            line.StoreAlignedNonTemporal(to + column * step);
        }
        else if (column < lines)
        {
            line.Store(to + column * step);
        }
    }
}
