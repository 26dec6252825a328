using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>How a kernel reads and writes the elements of a tensor that may be stored in single precision or in bfloat16.</summary>
internal unsafe interface IElement
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Size { get; }

    /// <summary>Elements from <paramref name="at"/> on, of a row with <paramref name="remaining"/> left; missing lanes are 0.</summary>
    static abstract V Load<V, O>(void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V>;

    /// <summary>Stores as many lanes as the row has left.</summary>
    static abstract void Store<V, O>(V x, void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V>;
}

internal readonly unsafe struct F32Element : IElement
{
    public static int Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, O>(void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V> => VectorMath.Load<V, O>((float*)row + at, remaining);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, O>(V x, void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V> => VectorMath.Store<V, O>(x, (float*)row + at, remaining);
}

internal readonly unsafe struct Bf16Element : IElement
{
    public static int Size => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, O>(void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V>
    {
        ushort* source = (ushort*)row + at;
        return remaining >= O.Count ? O.LoadBf16(source) : LoadEdge<V, O>(source, remaining);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, O>(V x, void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V>
    {
        if (remaining >= O.Count)
        {
            O.StoreBf16(x, (ushort*)row + at);
        }
        else
        {
            StoreEdge<V, O>(x, (ushort*)row + at, remaining);
        }
    }

    // Inlined for the reason given at VectorMath.LoadEdge.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LoadEdge<V, O>(ushort* source, int remaining)
        where V : struct
        where O : ILanes<V>
    {
        Vector256<ushort> edge = default;
        ushort* lanes = (ushort*)&edge;
        for (int i = 0; i < remaining; i++)
        {
            lanes[i] = source[i];
        }

        return O.LoadBf16(lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreEdge<V, O>(V x, ushort* destination, int remaining)
        where V : struct
        where O : ILanes<V>
    {
        Vector256<ushort> edge;
        ushort* lanes = (ushort*)&edge;
        O.StoreBf16(x, lanes);
        for (int i = 0; i < remaining; i++)
        {
            destination[i] = lanes[i];
        }
    }
}

/// <summary>Single precision in memory, rounded to bfloat16 when read, as a matmul in bfloat16 reads it.</summary>
internal readonly unsafe struct RoundedElement : IElement
{
    public static int Size => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, O>(void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V> => O.RoundToBf16(F32Element.Load<V, O>(row, at, remaining));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, O>(V x, void* row, nint at, int remaining)
        where V : struct
        where O : ILanes<V> => F32Element.Store<V, O>(O.RoundToBf16(x), row, at, remaining);
}
