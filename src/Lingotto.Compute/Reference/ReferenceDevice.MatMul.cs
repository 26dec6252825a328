namespace Lingotto.Compute;

public sealed partial class ReferenceDevice
{
    /// <inheritdoc/>
    public override PreparedWeight Prepare(Tensor weightENK, Arena arena, bool trained, DType precision = DType.F32) =>
        new ReferenceWeight(weightENK, precision);

    /// <summary>Nothing: the weight is read where it lies.</summary>
    public override void Refresh(PreparedWeight weight)
    {
    }

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTK, PreparedWeight wNK, Tensor yTN, bool accumulate = false)
    {
        int outputs = wNK.Weight[-2], inputs = wNK.Weight[-1], tokens = yTN.Rows;
        Reals x = Read(xTK, (long)tokens * inputs), w = Read(wNK.Weight), y = Read(yTN, (long)tokens * outputs);
        for (int t = 0; t < tokens; t++)
        {
            for (int n = 0; n < outputs; n++)
            {
                double sum = 0;
                for (int k = 0; k < inputs; k++)
                {
                    sum += x[(long)t * inputs + k] * w[(long)n * inputs + k];
                }

                long at = (long)t * outputs + n;
                y[at] = accumulate ? y[at] + sum : sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTN, PreparedWeight wNK, Tensor gradXTK, bool accumulate = false)
    {
        int outputs = wNK.Weight[-2], inputs = wNK.Weight[-1], tokens = gradXTK.Rows;
        Reals gradY = Read(gradYTN, (long)tokens * outputs), w = Read(wNK.Weight), gradX = Read(gradXTK, (long)tokens * inputs);
        for (int t = 0; t < tokens; t++)
        {
            for (int k = 0; k < inputs; k++)
            {
                double sum = 0;
                for (int n = 0; n < outputs; n++)
                {
                    sum += gradY[(long)t * outputs + n] * w[(long)n * inputs + k];
                }

                long at = (long)t * inputs + k;
                gradX[at] = accumulate ? gradX[at] + sum : sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTN, Tensor xTK, PreparedWeight wNK, Tensor gradWNK)
    {
        int outputs = gradWNK[-2], inputs = gradWNK[-1], tokens = gradYTN.Rows;
        Reals gradY = Read(gradYTN, (long)tokens * outputs), x = Read(xTK, (long)tokens * inputs), gradW = Read(gradWNK);
        for (int n = 0; n < outputs; n++)
        {
            for (int k = 0; k < inputs; k++)
            {
                double sum = 0;
                for (int t = 0; t < tokens; t++)
                {
                    sum += gradY[(long)t * outputs + n] * x[(long)t * inputs + k];
                }

                gradW[(long)n * inputs + k] += sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor yRN)
    {
        Tensor weight = wENK.Weight;
        int outputs = weight[1], inputs = weight[2];
        Reals x = Read(xTK), w = Read(weight), y = Read(yRN, (long)yRN.Rows * outputs);
        foreach ((int row, int token, int expert) in Routes(rows, yRN.Rows, weight[0]))
        {
            for (int n = 0; n < outputs; n++)
            {
                double sum = 0;
                for (int k = 0; k < inputs; k++)
                {
                    sum += x[(long)token * inputs + k] * w[((long)expert * outputs + n) * inputs + k];
                }

                y[(long)row * outputs + n] = sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gradXRK)
    {
        Tensor weight = wENK.Weight;
        int outputs = weight[1], inputs = weight[2];
        Reals gradY = Read(gradYRN), w = Read(weight), gradX = Read(gradXRK, (long)gradYRN.Rows * inputs);
        foreach ((int row, _, int expert) in Routes(rows, gradYRN.Rows, weight[0]))
        {
            for (int k = 0; k < inputs; k++)
            {
                double sum = 0;
                for (int n = 0; n < outputs; n++)
                {
                    sum += gradY[(long)row * outputs + n] * w[((long)expert * outputs + n) * inputs + k];
                }

                gradX[(long)row * inputs + k] = sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(
        Tensor gradYRN, Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gradWENK)
    {
        int outputs = gradWENK[1], inputs = gradWENK[2];
        Reals gradY = Read(gradYRN), x = Read(xTK), gradW = Read(gradWENK);
        var sum = new double[gradW.Length];
        foreach ((int row, int token, int expert) in Routes(rows, gradYRN.Rows, gradWENK[0]))
        {
            for (int n = 0; n < outputs; n++)
            {
                for (int k = 0; k < inputs; k++)
                {
                    sum[((long)expert * outputs + n) * inputs + k] += gradY[(long)row * outputs + n] * x[(long)token * inputs + k];
                }
            }
        }

        for (long i = 0; i < sum.Length; i++)
        {
            gradW[i] += sum[i];
        }
    }

    private static List<(int Row, int Token, int Expert)> Routes(RoutedRows rows, int count, int experts)
    {
        Span<int> offsets = Integers(rows.OffsetsE1, experts + 1);
        Span<int> tokens = rows.TokenOfRowR.IsAbsent ? default : Integers(rows.TokenOfRowR, count);
        var routes = new List<(int Row, int Token, int Expert)>(count);
        for (int e = 0; e < experts; e++)
        {
            for (int row = offsets[e]; row < offsets[e + 1]; row++)
            {
                routes.Add((row, tokens.IsEmpty ? row : tokens[row], e));
            }
        }

        return routes;
    }

    private sealed class ReferenceWeight(Tensor weight, DType precision) : PreparedWeight(weight, precision);
}
