using System.Runtime.CompilerServices;

namespace Lingotto.Compute;

/// <summary>A number the JIT sees as a constant, so that one kernel source serves every tile shape.</summary>
internal interface IConstant
{
    static abstract int Value { get; }
}

internal readonly struct One : IConstant
{
    public static int Value => 1;
}

internal readonly struct Two : IConstant
{
    public static int Value => 2;
}

internal readonly struct Three : IConstant
{
    public static int Value => 3;
}

internal readonly struct Four : IConstant
{
    public static int Value => 4;
}

internal readonly struct Eight : IConstant
{
    public static int Value => 8;
}

/// <summary>
/// The innermost matmul: c[i, j] (+)= sum_p a_i[p * aStep] * b[p * bStep + j] for a register tile of Rows x Vectors.
/// The left operand is eight (or four) row pointers, so a gather by expert costs nothing and a transposed operand is only
/// another step; the right operand is a panel of Vectors registers a step.
/// </summary>
/// <remarks>
/// 512 bits: 8 rows x 3 vectors are 24 accumulators of 32 registers, 24 FMAs for 11 loads. 256 and 128 bits have 16
/// registers: 4 x 3. Missing rows repeat the last pointer; their results are not stored.
/// </remarks>
internal static unsafe class RegisterTile
{
    /// <summary>Vectors of a full panel.</summary>
    public const int PanelVectors = 3;

    /// <summary>Steps of b fetched ahead: about 100 cycles, the second-level cache's latency several times over.</summary>
    private const int PrefetchSteps = 8;

    /// <summary>Rows of a full tile at the width of O.</summary>
    public static int Rows<V, O>()
        where V : struct
        where O : ILanes<V> => O.Count == 16 ? 8 : 4;

    /// <summary>Runs the narrowest tile that holds <paramref name="columns"/> columns.</summary>
    /// <param name="a">Row pointers, Rows of them, the first <paramref name="rows"/> distinct.</param>
    /// <param name="aStep">Elements between consecutive p of a row.</param>
    /// <param name="b">First row of the right operand; Vectors whole registers are read at each p.</param>
    /// <param name="bStep">Elements between consecutive p.</param>
    /// <param name="depth">Number of p.</param>
    /// <param name="c">First row of the result.</param>
    /// <param name="cStep">Elements between rows of the result.</param>
    /// <param name="rows">Rows to store.</param>
    /// <param name="columns">Columns to store, at most three registers.</param>
    /// <param name="accumulate">Add to what c holds.</param>
    public static void Multiply<V, O>(
        float** a, nint aStep, float* b, nint bStep, int depth, float* c, nint cStep, int rows, int columns, bool accumulate)
        where V : struct
        where O : ILanes<V>
    {
        int vectors = (columns + O.Count - 1) / O.Count;
        if (columns == vectors * O.Count)
        {
            Select<V, O>(a, aStep, b, bStep, depth, c, cStep, rows, vectors, accumulate);
            return;
        }

        // A ragged edge goes through a full tile on the stack: the same arithmetic, then only the wanted columns move.
        float* edge = stackalloc float[8 * PanelVectors * 16];
        int width = PanelVectors * O.Count;
        Select<V, O>(a, aStep, b, bStep, depth, edge, width, rows, vectors, accumulate: false);
        for (int i = 0; i < rows; i++)
        {
            float* from = edge + i * width;
            float* to = c + i * cStep;
            for (int j = 0; j < columns; j++)
            {
                to[j] = accumulate ? to[j] + from[j] : from[j];
            }
        }
    }

    private static void Select<V, O>(
        float** a, nint aStep, float* b, nint bStep, int depth, float* c, nint cStep, int rows, int vectors, bool accumulate)
        where V : struct
        where O : ILanes<V>
    {
        if (O.Count == 16)
        {
            SelectVectors<V, O, Eight>(a, aStep, b, bStep, depth, c, cStep, rows, vectors, accumulate);
        }
        else
        {
            SelectVectors<V, O, Four>(a, aStep, b, bStep, depth, c, cStep, rows, vectors, accumulate);
        }
    }

    private static void SelectVectors<V, O, R>(
        float** a, nint aStep, float* b, nint bStep, int depth, float* c, nint cStep, int rows, int vectors, bool accumulate)
        where V : struct
        where O : ILanes<V>
        where R : struct, IConstant
    {
        if (rows == 1)
        {
            switch (vectors)
            {
                case 1:
                    Run<V, O, One, One>(a, aStep, b, bStep, depth, c, cStep, rows, accumulate);
                    break;
                case 2:
                    Run<V, O, One, Two>(a, aStep, b, bStep, depth, c, cStep, rows, accumulate);
                    break;
                default:
                    Run<V, O, One, Three>(a, aStep, b, bStep, depth, c, cStep, rows, accumulate);
                    break;
            }

            return;
        }

        switch (vectors)
        {
            case 1:
                Run<V, O, R, One>(a, aStep, b, bStep, depth, c, cStep, rows, accumulate);
                break;
            case 2:
                Run<V, O, R, Two>(a, aStep, b, bStep, depth, c, cStep, rows, accumulate);
                break;
            default:
                Run<V, O, R, Three>(a, aStep, b, bStep, depth, c, cStep, rows, accumulate);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Run<V, O, R, N>(
        float** a, nint aStep, float* b, nint bStep, int depth, float* c, nint cStep, int rows, bool accumulate)
        where V : struct
        where O : ILanes<V>
        where R : struct, IConstant
        where N : struct, IConstant
    {
        // SAFETY: the caller gives R row pointers valid for depth steps, N registers of b at each step, and rows x N
        // registers of c.
        V c00 = O.Zero, c01 = O.Zero, c02 = O.Zero, c10 = O.Zero, c11 = O.Zero, c12 = O.Zero;
        V c20 = O.Zero, c21 = O.Zero, c22 = O.Zero, c30 = O.Zero, c31 = O.Zero, c32 = O.Zero;
        V c40 = O.Zero, c41 = O.Zero, c42 = O.Zero, c50 = O.Zero, c51 = O.Zero, c52 = O.Zero;
        V c60 = O.Zero, c61 = O.Zero, c62 = O.Zero, c70 = O.Zero, c71 = O.Zero, c72 = O.Zero;
        float* a0 = a[0];
        float* a1 = R.Value > 1 ? a[1] : a0, a2 = R.Value > 1 ? a[2] : a0, a3 = R.Value > 1 ? a[3] : a0;
        float* a4 = R.Value > 4 ? a[4] : a0, a5 = R.Value > 4 ? a[5] : a0, a6 = R.Value > 4 ? a[6] : a0, a7 = R.Value > 4 ? a[7] : a0;
        for (int i = 0; i < rows; i++)
        {
            Prefetch<N>(c + i * cStep);
        }

        nint p = 0;
        for (int remaining = depth; remaining > 0; remaining--)
        {
            V b0 = O.Load(b);
            V b1 = N.Value > 1 ? O.Load(b + O.Count) : b0;
            V b2 = N.Value > 2 ? O.Load(b + 2 * O.Count) : b0;
            Prefetch<N>(b + PrefetchSteps * bStep);
            Row<V, O, N>(O.Broadcast(a0[p]), b0, b1, b2, ref c00, ref c01, ref c02);
            if (R.Value > 1)
            {
                Row<V, O, N>(O.Broadcast(a1[p]), b0, b1, b2, ref c10, ref c11, ref c12);
                Row<V, O, N>(O.Broadcast(a2[p]), b0, b1, b2, ref c20, ref c21, ref c22);
                Row<V, O, N>(O.Broadcast(a3[p]), b0, b1, b2, ref c30, ref c31, ref c32);
            }

            if (R.Value > 4)
            {
                Row<V, O, N>(O.Broadcast(a4[p]), b0, b1, b2, ref c40, ref c41, ref c42);
                Row<V, O, N>(O.Broadcast(a5[p]), b0, b1, b2, ref c50, ref c51, ref c52);
                Row<V, O, N>(O.Broadcast(a6[p]), b0, b1, b2, ref c60, ref c61, ref c62);
                Row<V, O, N>(O.Broadcast(a7[p]), b0, b1, b2, ref c70, ref c71, ref c72);
            }

            p += aStep;
            b += bStep;
        }

        StoreTile<V, O, R, N>(
            c, cStep, rows, accumulate,
            c00, c01, c02, c10, c11, c12,
            c20, c21, c22, c30, c31, c32,
            c40, c41, c42, c50, c51, c52,
            c60, c61, c62, c70, c71, c72);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreTile<V, O, R, N>(
        float* c, nint cStep, int rows, bool accumulate,
        V c00, V c01, V c02, V c10, V c11, V c12,
        V c20, V c21, V c22, V c30, V c31, V c32,
        V c40, V c41, V c42, V c50, V c51, V c52,
        V c60, V c61, V c62, V c70, V c71, V c72)
        where V : struct
        where O : ILanes<V>
        where R : struct, IConstant
        where N : struct, IConstant
    {
        Store<V, O, N>(c, accumulate, c00, c01, c02);
        if (rows > 1)
        {
            Store<V, O, N>(c + cStep, accumulate, c10, c11, c12);
        }

        if (rows > 2)
        {
            Store<V, O, N>(c + 2 * cStep, accumulate, c20, c21, c22);
        }

        if (rows > 3)
        {
            Store<V, O, N>(c + 3 * cStep, accumulate, c30, c31, c32);
        }

        if (R.Value > 4 && rows > 4)
        {
            Store<V, O, N>(c + 4 * cStep, accumulate, c40, c41, c42);
            if (rows > 5)
            {
                Store<V, O, N>(c + 5 * cStep, accumulate, c50, c51, c52);
            }

            if (rows > 6)
            {
                Store<V, O, N>(c + 6 * cStep, accumulate, c60, c61, c62);
            }

            if (rows > 7)
            {
                Store<V, O, N>(c + 7 * cStep, accumulate, c70, c71, c72);
            }
        }
    }

    /// <summary>Sixteen floats are a cache line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch<N>(float* p)
        where N : struct, IConstant
    {
        CacheHints.ToFirstLevel(p);
        if (N.Value > 1)
        {
            CacheHints.ToFirstLevel(p + 16);
        }

        if (N.Value > 2)
        {
            CacheHints.ToFirstLevel(p + 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<V, O, N>(V a, V b0, V b1, V b2, ref V c0, ref V c1, ref V c2)
        where V : struct
        where O : ILanes<V>
        where N : struct, IConstant
    {
        c0 = O.MultiplyAdd(a, b0, c0);
        if (N.Value > 1)
        {
            c1 = O.MultiplyAdd(a, b1, c1);
        }

        if (N.Value > 2)
        {
            c2 = O.MultiplyAdd(a, b2, c2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<V, O, N>(float* c, bool accumulate, V c0, V c1, V c2)
        where V : struct
        where O : ILanes<V>
        where N : struct, IConstant
    {
        StoreVector<V, O>(c, accumulate, c0);
        if (N.Value > 1)
        {
            StoreVector<V, O>(c + O.Count, accumulate, c1);
        }

        if (N.Value > 2)
        {
            StoreVector<V, O>(c + 2 * O.Count, accumulate, c2);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreVector<V, O>(float* c, bool accumulate, V x)
        where V : struct
        where O : ILanes<V> => O.Store(accumulate ? O.Add(O.Load(c), x) : x, c);
}
