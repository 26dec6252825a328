using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>
/// The unit of an operand of <see cref="AssembledTile"/>: the 32 bits that hold one element of the summed dimension in single
/// precision, or two in bfloat16.
/// </summary>
internal unsafe interface IWord
{
    /// <summary>The kernels that multiply such words.</summary>
    static abstract TileProduct Product { get; }

    /// <summary>Elements along the summed dimension in a word.</summary>
    static abstract int Elements { get; }

    /// <summary>True where a row of <typeparamref name="E"/> is a row of words as stored.</summary>
    static abstract bool IsRowOf<E>()
        where E : struct, IElement;

    /// <summary>
    /// 16 words down a column: element <paramref name="at"/> and on of row0 and, where a word holds two, of row1; null is a row of 0.
    /// </summary>
    static abstract Vector512<uint> Down<E>(byte* row0, byte* row1, int at, int remaining)
        where E : struct, IElement;

    /// <summary>
    /// Four times <see cref="Down"/>, where 64 columns and every row exist, <paramref name="groupStep"/> words between the stores.
    /// </summary>
    static abstract void WholeLine<E>(byte* row0, byte* row1, uint* destination, nint groupStep)
        where E : struct, IElement;

    /// <summary>16 words along a row from element <paramref name="at"/> on, 0 beyond the <paramref name="remaining"/> ones.</summary>
    static abstract Vector512<uint> Along<E>(void* row, int at, int remaining)
        where E : struct, IElement;
}
