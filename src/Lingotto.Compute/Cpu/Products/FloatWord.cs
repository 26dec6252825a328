using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>One element in single precision.</summary>
internal readonly unsafe struct FloatWord : IWord
{
    public static TileProduct Product => TileProduct.Floats;

    public static int Elements => 1;

    public static bool IsRowOf<E>()
        where E : struct, IElement => typeof(E) == typeof(F32Element);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Down<E>(byte* row0, byte* row1, int at, int remaining)
        where E : struct, IElement => Along<E>(row0, at, remaining);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WholeLine<E>(byte* row0, byte* row1, uint* destination, nint groupStep)
        where E : struct, IElement
    {
        Along<E>(row0, 0, AssembledTile.Lanes).Store(destination);
        Along<E>(row0, AssembledTile.Lanes, AssembledTile.Lanes).Store(destination + groupStep);
        Along<E>(row0, 2 * AssembledTile.Lanes, AssembledTile.Lanes).Store(destination + 2 * groupStep);
        Along<E>(row0, 3 * AssembledTile.Lanes, AssembledTile.Lanes).Store(destination + 3 * groupStep);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Along<E>(void* row, int at, int remaining)
        where E : struct, IElement => E.Load<Vector512<float>, Lanes512>(row, at, remaining).AsUInt32();
}
