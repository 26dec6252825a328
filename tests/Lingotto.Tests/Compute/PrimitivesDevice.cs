using Lingotto.Compute;

namespace Lingotto.Tests;

/// <summary>
/// A device that has the primitives and nothing else, as plain loops over host memory in F32; a sum is rounded once at its end.
/// </summary>
internal sealed unsafe class PrimitivesDevice : PrimitiveDevice
{
    public override DeviceDescription Description { get; } = new(
        "Primitives", HostMemory.TotalBytes(), Workers: 1, InstructionSet: null, new MatMulPath("loops", null),
        new MatMulPath("loops", null));

    public override long AvailableBytes => HostMemory.AvailableBytes();

    public override MemoryBlock AllocateBlock(long bytes) => new HostBlock(bytes);

    public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination) => source.CopyTo(Span<T>(destination));

    public override void Download<T>(Tensor source, Span<T> destination) => Span<T>(source).CopyTo(destination);

    public override void Fill(Tensor x, float value) => Span<float>(x).Fill(value);

    public override void DispatchPlan(
        Tensor topKExpertIdsTK, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTK)
    {
        Span<int> ids = Span<int>(topKExpertIdsTK), counts = Span<int>(tokensPerExpertE), offsets = Span<int>(offsetsE1);
        Span<int> tokenOfRow = Span<int>(tokenOfRowR), rowOfChoice = Span<int>(rowOfChoiceTK);
        int row = 0;
        for (int e = 0; e < counts.Length; e++)
        {
            offsets[e] = row;
            for (int choice = 0; choice < ids.Length; choice++)
            {
                if (ids[choice] == e)
                {
                    rowOfChoice[choice] = row;
                    tokenOfRow[row++] = choice / topKExpertIdsTK.Columns;
                }
            }

            counts[e] = row - offsets[e];
        }

        offsets[^1] = row;
    }

    protected override void CopyColumns(Tensor x, int firstX, Tensor y, int firstY, int columns)
    {
        if (y.DType == DType.I32 && x.DType != DType.I32)
        {
            Span<int> whole = Span<int>(y);
            for (int i = 0; i < x.Rows * columns; i++)
            {
                whole[i / columns * y.Columns + firstY + i % columns] = (int)All(x)[i / columns * x.Columns + firstX + i % columns];
            }

            return;
        }

        if (y.DType == DType.I32)
        {
            Span<int> from = Span<int>(x), to = Span<int>(y);
            for (int r = 0; r < x.Rows; r++)
            {
                from.Slice(r * x.Columns + firstX, columns).CopyTo(to[(r * y.Columns + firstY)..]);
            }

            return;
        }

        Reals target = All(y);
        for (int r = 0; r < x.Rows; r++)
        {
            for (int c = 0; c < columns; c++)
            {
                long at = (long)r * x.Columns + firstX + c;
                target[(long)r * y.Columns + firstY + c] = x.DType == DType.I32 ? Span<int>(x)[(int)at] : All(x)[at];
            }
        }
    }

    protected override void GatherRows(Tensor x, Tensor idsR, Tensor y)
    {
        Span<int> ids = Span<int>(idsR);
        for (int r = 0; r < ids.Length; r++)
        {
            Span<float>(x).Slice(ids[r] * x.Columns, x.Columns).CopyTo(Span<float>(y)[(r * x.Columns)..]);
        }
    }

    protected override void ScatterAddRows(Tensor x, Tensor idsR, Tensor y)
    {
        Span<int> ids = Span<int>(idsR);
        for (int r = 0; r < ids.Length; r++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                Span<float>(y)[ids[r] * y.Columns + c] += Span<float>(x)[r * y.Columns + c];
            }
        }
    }

    protected override void GatherColumns(Tensor x, Tensor idsTK, Tensor yTK)
    {
        Span<int> ids = Span<int>(idsTK);
        for (int i = 0; i < ids.Length; i++)
        {
            Span<float>(yTK)[i] = ids[i] < 0 ? 0 : Span<float>(x)[i / idsTK.Columns * x.Columns + ids[i]];
        }
    }

    protected override void ScatterAddColumns(Tensor xTK, Tensor idsTK, Tensor y)
    {
        Span<int> ids = Span<int>(idsTK);
        for (int i = 0; i < ids.Length; i++)
        {
            if (ids[i] >= 0)
            {
                Span<float>(y)[i / idsTK.Columns * y.Columns + ids[i]] += Span<float>(xTK)[i];
            }
        }
    }

    protected override void MultiplyForward(Tensor x, RoutedRows rows, Tensor w, Tensor y, bool accumulate)
    {
        int outputs = w[-2], inputs = w[-1];
        Reals from = All(x), weight = All(w), to = All(y);
        foreach ((int row, int token, int expert) in Routes(rows, y.Rows, w))
        {
            for (int n = 0; n < outputs; n++)
            {
                double sum = 0;
                for (int k = 0; k < inputs; k++)
                {
                    sum += from[(long)token * inputs + k] * weight[((long)expert * outputs + n) * inputs + k];
                }

                long at = (long)row * outputs + n;
                to[at] = accumulate ? to[at] + sum : sum;
            }
        }
    }

    protected override void MultiplyBackwardInput(Tensor gradY, RoutedRows rows, Tensor w, Tensor gradX, bool accumulate)
    {
        int outputs = w[-2], inputs = w[-1];
        Reals from = All(gradY), weight = All(w), to = All(gradX);
        foreach ((int row, _, int expert) in Routes(rows, gradX.Rows, w))
        {
            for (int k = 0; k < inputs; k++)
            {
                double sum = 0;
                for (int n = 0; n < outputs; n++)
                {
                    sum += from[(long)row * outputs + n] * weight[((long)expert * outputs + n) * inputs + k];
                }

                long at = (long)row * inputs + k;
                to[at] = accumulate ? to[at] + sum : sum;
            }
        }
    }

    protected override void MultiplyBackwardWeight(Tensor gradY, Tensor x, RoutedRows rows, Tensor gradW)
    {
        int outputs = gradW[-2], inputs = gradW[-1];
        Reals grad = All(gradY), from = All(x), to = All(gradW);
        var sums = new double[gradW.Length];
        foreach ((int row, int token, int expert) in Routes(rows, gradY.Rows, gradW))
        {
            for (int n = 0; n < outputs; n++)
            {
                for (int k = 0; k < inputs; k++)
                {
                    sums[((long)expert * outputs + n) * inputs + k] += grad[(long)row * outputs + n] * from[(long)token * inputs + k];
                }
            }
        }

        for (long i = 0; i < sums.Length; i++)
        {
            to[i] += sums[i];
        }
    }

    protected override void Map(UnaryFunction f, Tensor x, Tensor y, float scale = 1, float shift = 0)
    {
        Reals from = All(x), to = All(y);
        for (long i = 0; i < from.Length; i++)
        {
            double v = scale * from[i] + shift;
            to[i] = f switch
            {
                UnaryFunction.Identity => v,
                UnaryFunction.Exp => Math.Exp(v),
                UnaryFunction.Log => Math.Log(v),
                UnaryFunction.Sigmoid => 1 / (1 + Math.Exp(-v)),
                UnaryFunction.Sqrt => Math.Sqrt(v),
                UnaryFunction.Rsqrt => 1 / Math.Sqrt(v),
                UnaryFunction.Reciprocal => 1 / v,
                UnaryFunction.Sign => Math.Sign(v),
                UnaryFunction.Relu => Math.Max(v, 0),
                _ => throw new ArgumentOutOfRangeException(nameof(f)),
            };
        }
    }

    protected override void Map(BinaryFunction f, Tensor a, Tensor b, Broadcast broadcast, Tensor y)
    {
        Reals left = All(a), right = All(b), to = All(y);
        for (long i = 0; i < left.Length; i++)
        {
            double u = left[i], v = right[broadcast switch
            {
                Broadcast.None => i,
                Broadcast.PerRow => i / a.Columns,
                Broadcast.PerColumn => i % a.Columns,
                _ => 0,
            }];
            to[i] = f switch
            {
                BinaryFunction.Add => u + v,
                BinaryFunction.Subtract => u - v,
                BinaryFunction.Multiply => u * v,
                BinaryFunction.Divide => u / v,
                _ => throw new ArgumentOutOfRangeException(nameof(f)),
            };
        }
    }

    protected override void ReduceRows(RowReduction f, Tensor x, Tensor yT)
    {
        Reals from = All(x), to = All(yT);
        for (int t = 0; t < x.Rows; t++)
        {
            double sum = 0;
            for (int d = 0; d < x.Columns; d++)
            {
                double v = from[(long)t * x.Columns + d];
                sum += f == RowReduction.Sum ? v : v * v;
            }

            to[t] = sum;
        }
    }

    protected override void SumColumns(Tensor x, Tensor yD)
    {
        Reals from = All(x), to = All(yD);
        for (int d = 0; d < x.Columns; d++)
        {
            double sum = to[d];
            for (int t = 0; t < x.Rows; t++)
            {
                sum += from[(long)t * x.Columns + d];
            }

            to[d] = sum;
        }
    }

    protected override void SoftmaxRows(Tensor x, SoftmaxRange? range, Tensor y, Tensor logSumExpT)
    {
        Reals from = All(x), to = All(y);
        for (int t = 0; t < x.Rows; t++)
        {
            long row = (long)t * x.Columns;
            int first = 0, last = x.Columns - 1;
            if (range is { } columns)
            {
                first = columns.FirstT.IsAbsent ? 0 : Math.Max(0, Span<int>(columns.FirstT)[t] - columns.Origin);
                last = columns.LastOfFirstRow + t;
            }

            double max = double.NegativeInfinity, sum = 0;
            for (int d = first; d <= last; d++)
            {
                max = Math.Max(max, from[row + d]);
            }

            for (int d = first; d <= last; d++)
            {
                sum += Math.Exp(from[row + d] - max);
            }

            for (int d = 0; d < x.Columns; d++)
            {
                to[row + d] = d < first || d > last ? 0 : Math.Exp(from[row + d] - max) / sum;
            }

            if (!logSumExpT.IsAbsent)
            {
                Span<float>(logSumExpT)[t] = (float)(max + Math.Log(sum));
            }
        }
    }

    protected override void TopKRows(Tensor x, Tensor idsTK)
    {
        for (int t = 0; t < x.Rows; t++)
        {
            float[] row = Span<float>(x).Slice(t * x.Columns, x.Columns).ToArray();
            int[] best = [.. Enumerable.Range(0, row.Length).OrderByDescending(e => row[e]).Take(idsTK.Columns)];
            best.CopyTo(Span<int>(idsTK)[(t * idsTK.Columns)..]);
        }
    }

    protected override void Normals(CounterRandom random, ulong stream, long first, Tensor x)
    {
        Span<float> to = Span<float>(x);
        for (int i = 0; i < to.Length; i++)
        {
            to[i] = random.Normals(stream, (ulong)(first + i) / 4)[(int)((first + i) % 4)];
        }
    }

    private static Reals All(Tensor tensor) => new(tensor, tensor.Length);

    private static Span<T> Span<T>(Tensor tensor)
        where T : unmanaged => sizeof(T) == tensor.DType.Size()
        ? new Span<T>(ReferenceDevice.Pointer(tensor), checked((int)tensor.Length))
        : throw new ArgumentException($"{tensor} does not hold elements of {sizeof(T)} bytes.");

    private static List<(int Row, int Token, int Expert)> Routes(RoutedRows rows, int count, Tensor weight)
    {
        var routes = new List<(int Row, int Token, int Expert)>(count);
        Span<int> offsets = rows.OffsetsE1.IsAbsent ? [0, count] : Span<int>(rows.OffsetsE1);
        for (int e = 0; e < (weight.Rank == 3 ? weight[0] : 1); e++)
        {
            for (int row = offsets[e]; row < offsets[e + 1]; row++)
            {
                routes.Add((row, rows.TokenOfRowR.IsAbsent ? row : Span<int>(rows.TokenOfRowR)[row], e));
            }
        }

        return routes;
    }
}
