using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>
/// The vocabulary in which kernels speak of a vector of floats: V is the register, the implementing type its arithmetic.
/// Every method is one or a few instructions at each width.
/// </summary>
internal unsafe interface ILanes<V>
    where V : struct
{
    static abstract int Count { get; }

    static abstract V Zero { get; }

    static abstract V Load(float* source);

    static abstract void Store(V x, float* destination);

    /// <summary>bfloat16 widened: exact.</summary>
    static abstract V LoadBf16(ushort* source);

    /// <summary>The nearest bfloat16, ties to even, as a single; not-a-number stays one.</summary>
    static abstract V RoundToBf16(V x);

    /// <summary>Rounds and stores.</summary>
    static abstract void StoreBf16(V x, ushort* destination);

    static abstract V Broadcast(float x);

    static abstract V Add(V x, V y);

    static abstract V Subtract(V x, V y);

    static abstract V Multiply(V x, V y);

    static abstract V Divide(V x, V y);

    static abstract V Max(V x, V y);

    static abstract V Min(V x, V y);

    static abstract V Sqrt(V x);

    /// <summary>x * y + z</summary>
    static abstract V MultiplyAdd(V x, V y, V z);

    /// <summary>2^x for integral x in [-126, 127].</summary>
    static abstract V PowerOfTwo(V x);

    static abstract V Round(V x);

    /// <summary>Sum of the lanes, in an order that depends on the width alone.</summary>
    static abstract float Sum(V x);

    static abstract float Maximum(V x);
}

/// <summary>Runs on any chip: where it has no AVX-512, each operation is made of narrower ones, with the same bits.</summary>
internal readonly unsafe struct Lanes512 : ILanes<Vector512<float>>
{
    public static int Count => 16;

    public static Vector512<float> Zero => Vector512<float>.Zero;

    public static Vector512<float> Load(float* source) => Vector512.Load(source);

    public static void Store(Vector512<float> x, float* destination) => x.Store(destination);

    public static Vector512<float> LoadBf16(ushort* source)
    {
        if (Avx512F.IsSupported)
        {
            return (Avx512F.ConvertToVector512UInt32(Vector256.Load(source)) << 16).AsSingle();
        }

        (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(Vector256.Load(source));
        return (Vector512.Create(lower, upper) << 16).AsSingle();
    }

    public static Vector512<float> RoundToBf16(Vector512<float> x)
    {
        Vector512<uint> bits = x.AsUInt32(), odd = (bits >> 16) & Vector512.Create(1u);
        Vector512<uint> nearest = bits + Vector512.Create(0x7FFFu) + odd, quiet = bits | Vector512.Create(0x400000u);
        return (Vector512.ConditionalSelect(Vector512.Equals(x, x).AsUInt32(), nearest, quiet) & Vector512.Create(0xFFFF0000u)).AsSingle();
    }

    public static void StoreBf16(Vector512<float> x, ushort* destination) => Narrow(RoundToBf16(x).AsUInt32() >> 16).Store(destination);

    /// <summary>The lower halves of 16 words whose upper halves are 0.</summary>
    public static Vector256<ushort> Narrow(Vector512<uint> x) =>
        Avx512F.IsSupported ? Avx512F.ConvertToVector256UInt16(x) : Vector256.Narrow(x.GetLower(), x.GetUpper());

    public static Vector512<float> Broadcast(float x) => Vector512.Create(x);

    public static Vector512<float> Add(Vector512<float> x, Vector512<float> y) => x + y;

    public static Vector512<float> Subtract(Vector512<float> x, Vector512<float> y) => x - y;

    public static Vector512<float> Multiply(Vector512<float> x, Vector512<float> y) => x * y;

    public static Vector512<float> Divide(Vector512<float> x, Vector512<float> y) => x / y;

    public static Vector512<float> Max(Vector512<float> x, Vector512<float> y) => Vector512.MaxNative(x, y);

    public static Vector512<float> Min(Vector512<float> x, Vector512<float> y) => Vector512.MinNative(x, y);

    public static Vector512<float> Sqrt(Vector512<float> x) => Vector512.Sqrt(x);

    public static Vector512<float> MultiplyAdd(Vector512<float> x, Vector512<float> y, Vector512<float> z) =>
        Vector512.FusedMultiplyAdd(x, y, z);

    public static Vector512<float> PowerOfTwo(Vector512<float> x) =>
        ((Vector512.ConvertToInt32Native(x) + Vector512.Create(127)) << 23).AsSingle();

    public static Vector512<float> Round(Vector512<float> x) => Vector512.Round(x);

    public static float Sum(Vector512<float> x) => Lanes256.Sum(x.GetLower() + x.GetUpper());

    public static float Maximum(Vector512<float> x) => Lanes256.Maximum(Vector256.MaxNative(x.GetLower(), x.GetUpper()));
}

internal readonly unsafe struct Lanes256 : ILanes<Vector256<float>>
{
    public static int Count => 8;

    public static Vector256<float> Zero => Vector256<float>.Zero;

    public static Vector256<float> Load(float* source) => Vector256.Load(source);

    public static void Store(Vector256<float> x, float* destination) => x.Store(destination);

    public static Vector256<float> LoadBf16(ushort* source) => (Avx2.ConvertToVector256Int32(Vector128.Load(source)) << 16).AsSingle();

    public static Vector256<float> RoundToBf16(Vector256<float> x)
    {
        Vector256<uint> bits = x.AsUInt32(), odd = (bits >> 16) & Vector256.Create(1u);
        Vector256<uint> nearest = bits + Vector256.Create(0x7FFFu) + odd, quiet = bits | Vector256.Create(0x400000u);
        return (Vector256.ConditionalSelect(Vector256.Equals(x, x).AsUInt32(), nearest, quiet) & Vector256.Create(0xFFFF0000u)).AsSingle();
    }

    public static void StoreBf16(Vector256<float> x, ushort* destination)
    {
        Vector256<uint> rounded = RoundToBf16(x).AsUInt32() >> 16;
        Vector128.Narrow(rounded.GetLower(), rounded.GetUpper()).Store(destination);
    }

    public static Vector256<float> Broadcast(float x) => Vector256.Create(x);

    public static Vector256<float> Add(Vector256<float> x, Vector256<float> y) => x + y;

    public static Vector256<float> Subtract(Vector256<float> x, Vector256<float> y) => x - y;

    public static Vector256<float> Multiply(Vector256<float> x, Vector256<float> y) => x * y;

    public static Vector256<float> Divide(Vector256<float> x, Vector256<float> y) => x / y;

    public static Vector256<float> Max(Vector256<float> x, Vector256<float> y) => Vector256.MaxNative(x, y);

    public static Vector256<float> Min(Vector256<float> x, Vector256<float> y) => Vector256.MinNative(x, y);

    public static Vector256<float> Sqrt(Vector256<float> x) => Vector256.Sqrt(x);

    public static Vector256<float> MultiplyAdd(Vector256<float> x, Vector256<float> y, Vector256<float> z) =>
        Vector256.FusedMultiplyAdd(x, y, z);

    public static Vector256<float> PowerOfTwo(Vector256<float> x) =>
        ((Vector256.ConvertToInt32Native(x) + Vector256.Create(127)) << 23).AsSingle();

    public static Vector256<float> Round(Vector256<float> x) => Vector256.Round(x);

    public static float Sum(Vector256<float> x) => Lanes128.Sum(x.GetLower() + x.GetUpper());

    public static float Maximum(Vector256<float> x) => Lanes128.Maximum(Vector128.MaxNative(x.GetLower(), x.GetUpper()));
}

internal readonly unsafe struct Lanes128 : ILanes<Vector128<float>>
{
    public static int Count => 4;

    public static Vector128<float> Zero => Vector128<float>.Zero;

    public static Vector128<float> Load(float* source) => Vector128.Load(source);

    public static void Store(Vector128<float> x, float* destination) => x.Store(destination);

    public static Vector128<float> LoadBf16(ushort* source) =>
        (Vector128.WidenLower(Vector128.CreateScalar(*(ulong*)source).AsUInt16()) << 16).AsSingle();

    public static Vector128<float> RoundToBf16(Vector128<float> x)
    {
        Vector128<uint> bits = x.AsUInt32(), odd = (bits >> 16) & Vector128.Create(1u);
        Vector128<uint> nearest = bits + Vector128.Create(0x7FFFu) + odd, quiet = bits | Vector128.Create(0x400000u);
        return (Vector128.ConditionalSelect(Vector128.Equals(x, x).AsUInt32(), nearest, quiet) & Vector128.Create(0xFFFF0000u)).AsSingle();
    }

    public static void StoreBf16(Vector128<float> x, ushort* destination)
    {
        Vector128<uint> rounded = RoundToBf16(x).AsUInt32() >> 16;
        *(ulong*)destination = Vector128.Narrow(rounded, rounded).AsUInt64()[0];
    }

    public static Vector128<float> Broadcast(float x) => Vector128.Create(x);

    public static Vector128<float> Add(Vector128<float> x, Vector128<float> y) => x + y;

    public static Vector128<float> Subtract(Vector128<float> x, Vector128<float> y) => x - y;

    public static Vector128<float> Multiply(Vector128<float> x, Vector128<float> y) => x * y;

    public static Vector128<float> Divide(Vector128<float> x, Vector128<float> y) => x / y;

    public static Vector128<float> Max(Vector128<float> x, Vector128<float> y) => Vector128.MaxNative(x, y);

    public static Vector128<float> Min(Vector128<float> x, Vector128<float> y) => Vector128.MinNative(x, y);

    public static Vector128<float> Sqrt(Vector128<float> x) => Vector128.Sqrt(x);

    public static Vector128<float> MultiplyAdd(Vector128<float> x, Vector128<float> y, Vector128<float> z) =>
        Vector128.MultiplyAddEstimate(x, y, z);

    public static Vector128<float> PowerOfTwo(Vector128<float> x) =>
        ((Vector128.ConvertToInt32Native(x) + Vector128.Create(127)) << 23).AsSingle();

    public static Vector128<float> Round(Vector128<float> x) => Vector128.Round(x);

    public static float Sum(Vector128<float> x) => (x[0] + x[2]) + (x[1] + x[3]);

    public static float Maximum(Vector128<float> x) => MathF.Max(MathF.Max(x[0], x[2]), MathF.Max(x[1], x[3]));
}
