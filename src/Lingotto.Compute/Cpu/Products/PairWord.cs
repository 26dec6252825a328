using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>Elements 2p (lower half) and 2p + 1 in bfloat16; an odd end is paired with 0.</summary>
internal readonly unsafe struct PairWord : IWord
{
    private const int Lanes = AssembledTile.Lanes;

    public static TileProduct Product => TileProduct.Bf16Pairs;

    public static int Elements => 2;

    public static bool IsRowOf<E>()
        where E : struct, IElement => typeof(E) == typeof(Bf16Element);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Down<E>(byte* row0, byte* row1, int at, int remaining)
        where E : struct, IElement
    {
        Vector512<uint> word = Bits<E>(row0, at, remaining) >> 16;
        return row1 is null ? word : word | Bits<E>(row1, at, remaining);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WholeLine<E>(byte* row0, byte* row1, uint* destination, nint groupStep)
        where E : struct, IElement
    {
        if (typeof(E) != typeof(Bf16Element) || !Avx512BW.IsSupported)
        {
            for (int group = 0; group < AssembledTile.Columns / Lanes; group++)
            {
                Down<E>(row0, row1, group * Lanes, Lanes).Store(destination + group * groupStep);
            }

            return;
        }

        // Elements 0-15, then 16-31, of two registers in turn.
        var low = Vector512.Create(
            (ushort)0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
        var high = Vector512.Create(
            (ushort)16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62,
            31, 63);
        Vector512<ushort> x0 = Vector512.Load((ushort*)row0), x1 = Vector512.Load((ushort*)row0 + 2 * Lanes);
        Vector512<ushort> y0 = Vector512.Load((ushort*)row1), y1 = Vector512.Load((ushort*)row1 + 2 * Lanes);
        Avx512BW.PermuteVar32x16x2(x0, low, y0).AsUInt32().Store(destination);
        Avx512BW.PermuteVar32x16x2(x0, high, y0).AsUInt32().Store(destination + groupStep);
        Avx512BW.PermuteVar32x16x2(x1, low, y1).AsUInt32().Store(destination + 2 * groupStep);
        Avx512BW.PermuteVar32x16x2(x1, high, y1).AsUInt32().Store(destination + 3 * groupStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Along<E>(void* row, int at, int remaining)
        where E : struct, IElement
    {
        if (typeof(E) == typeof(Bf16Element) && remaining >= 2 * Lanes)
        {
            return Vector512.Load((ushort*)row + at).AsUInt32();
        }

        Vector256<ushort> low = Lanes512.Narrow(Bits<E>(row, at, remaining) >> 16);
        Vector256<ushort> high = Lanes512.Narrow(Bits<E>(row, at + Lanes, remaining - Lanes) >> 16);
        return Vector512.Create(low, high).AsUInt32();
    }

    /// <summary>The bfloat16 of 16 elements, each in the upper half of a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Bits<E>(void* row, int at, int remaining)
        where E : struct, IElement
    {
        Debug.Assert(typeof(E) != typeof(F32Element), "Elements in single precision are rounded as they are read.");
        return E.Load<Vector512<float>, Lanes512>(row, at, remaining).AsUInt32();
    }
}
