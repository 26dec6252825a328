using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>
/// <see cref="AssembledTile"/> in C#: the same operands, the same accesses to them and the same order of multiply-adds, on any
/// chip. Tests run everything around the assembled kernels with it, where a chip cannot run the kernels themselves.
/// </summary>
/// <remarks>VDPBF16PS takes denormals as 0 and this tile does not; other bits are equal.</remarks>
internal readonly unsafe struct EmulatedTile : IWordKernel
{
    private const int Lanes = AssembledTile.Lanes;

    public static void Multiply(ref TileArguments arguments, TileProduct product, int columns, int step)
    {
        // A kernel of one row reads one pointer; the others read the pointers of whole tiles.
        int tileRows = arguments.Rows == 1 && step == AssembledTile.RowStep ? 1 : AssembledTile.Rows;
        for (int row = 0; row < arguments.Rows; row += tileRows)
        {
            for (int j = 0; j < columns; j += Lanes)
            {
                for (int i = row; i < row + tileRows; i++)
                {
                    Vector512<float> sum = Sum(arguments, i, j, product, step);
                    if (i < arguments.Rows)
                    {
                        float* c = (float*)((byte*)arguments.C + i * arguments.CStep) + j;
                        Store(sum, c, Math.Min(Lanes, columns - j), arguments.Accumulate != 0);
                    }
                }
            }
        }
    }

    /// <summary>c[i, j] to c[i, j + 15].</summary>
    private static Vector512<float> Sum(in TileArguments arguments, int i, int j, TileProduct product, int step)
    {
        // SAFETY: the caller guarantees pointers of whole tiles, Words words at each, and lines of 64 words of the panel.
        byte* a = arguments.A[i];
        uint* b = (uint*)arguments.B + j;
        Vector512<float> sum = Vector512<float>.Zero;
        for (long p = 0; p < arguments.Words; p++, a += step, b += AssembledTile.Columns)
        {
            Vector512<uint> x = Vector512.Create(*(uint*)a), y = Vector512.Load(b);
            if (product == TileProduct.Floats)
            {
                sum = Vector512.FusedMultiplyAdd(x.AsSingle(), y.AsSingle(), sum);
                continue;
            }

            // VDPBF16PS rounds twice: after the upper halves, then after the lower ones.
            var upper = Vector512.Create(0xFFFF0000u);
            sum = Vector512.FusedMultiplyAdd((x & upper).AsSingle(), (y & upper).AsSingle(), sum);
            sum = Vector512.FusedMultiplyAdd((x << 16).AsSingle(), (y << 16).AsSingle(), sum);
        }

        return sum;
    }

    private static void Store(Vector512<float> sum, float* c, int count, bool accumulate)
    {
        for (int j = 0; j < count; j++)
        {
            c[j] = accumulate ? sum[j] + c[j] : sum[j];
        }
    }
}
