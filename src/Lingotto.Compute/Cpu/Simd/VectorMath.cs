using System.Runtime.CompilerServices;

namespace Lingotto.Compute;

/// <summary>Functions of vectors, and loads and stores at the ragged end of a row.</summary>
internal static unsafe class VectorMath
{
    /// <summary>The score of a masked key: its exponential is negligible next to any other, with room to subtract a maximum.</summary>
    public const float MaskedScore = -1e30f;

    /// <summary>
    /// e^x = 2^n * e^r with n = round(x / ln 2), |r| at most ln(2) / 2, e^r by its Taylor polynomial of degree 7 (remainder
    /// below 1e-8 relative). Arguments are clamped to the range whose result is a normal number.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V, O>(V x)
        where V : struct
        where O : ILanes<V>
    {
        // The argument second: where one of two is not a number, x86 hands on the second, so that it stays one.
        x = O.Min(O.Broadcast(88.0f), O.Max(O.Broadcast(-87.0f), x));
        V n = O.Round(O.Multiply(x, O.Broadcast(1.44269504f)));

        // ln 2 in two parts: n * 0.693359375 is exact for |n| < 2^15.
        V r = O.MultiplyAdd(n, O.Broadcast(-0.693359375f), x);
        r = O.MultiplyAdd(n, O.Broadcast(2.12194440e-4f), r);
        V p = O.Broadcast(1f / 5040);
        p = O.MultiplyAdd(p, r, O.Broadcast(1f / 720));
        p = O.MultiplyAdd(p, r, O.Broadcast(1f / 120));
        p = O.MultiplyAdd(p, r, O.Broadcast(1f / 24));
        p = O.MultiplyAdd(p, r, O.Broadcast(1f / 6));
        p = O.MultiplyAdd(p, r, O.Broadcast(0.5f));
        p = O.MultiplyAdd(p, r, O.Broadcast(1f));
        p = O.MultiplyAdd(p, r, O.Broadcast(1f));
        return O.Multiply(p, O.PowerOfTwo(n));
    }

    /// <summary>1 / (1 + e^-x)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V, O>(V x)
        where V : struct
        where O : ILanes<V>
    {
        V one = O.Broadcast(1f);
        return O.Divide(one, O.Add(one, Exp<V, O>(O.Subtract(O.Zero, x))));
    }

    /// <summary>
    /// The next vector of a row with <paramref name="remaining"/> elements left; missing lanes are <paramref name="padding"/>.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, O>(float* source, int remaining, float padding = 0f)
        where V : struct
        where O : ILanes<V> => remaining >= O.Count ? O.Load(source) : LoadEdge<V, O>(source, remaining, padding);

    /// <summary>Stores as many lanes as the row has left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, O>(V x, float* destination, int remaining)
        where V : struct
        where O : ILanes<V>
    {
        if (remaining >= O.Count)
        {
            O.Store(x, destination);
        }
        else
        {
            StoreEdge<V, O>(x, destination, remaining);
        }
    }

    // Both are inlined: a call, even one that is never made, would push every vector of the loop around it out of its register.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V LoadEdge<V, O>(float* source, int remaining, float padding)
        where V : struct
        where O : ILanes<V>
    {
        V edge = O.Broadcast(padding);
        float* lanes = (float*)Unsafe.AsPointer(ref edge);
        for (int i = 0; i < remaining; i++)
        {
            lanes[i] = source[i];
        }

        return edge;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreEdge<V, O>(V x, float* destination, int remaining)
        where V : struct
        where O : ILanes<V>
    {
        V edge = x;
        float* lanes = (float*)Unsafe.AsPointer(ref edge);
        for (int i = 0; i < remaining; i++)
        {
            destination[i] = lanes[i];
        }
    }
}
