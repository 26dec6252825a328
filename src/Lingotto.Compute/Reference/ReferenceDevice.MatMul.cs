namespace Lingotto.Compute;

public sealed partial class ReferenceDevice
{
    /// <inheritdoc/>
    public override PreparedWeight Prepare(Tensor weightEOI, Arena arena, bool trained, DType precision = DType.F32) =>
        new ReferenceWeight(weightEOI, precision);

    /// <summary>Does nothing: the weight is read in place.</summary>
    public override void Refresh(PreparedWeight weight)
    {
    }

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTI, PreparedWeight wOI, Tensor yTO, bool accumulate = false)
    {
        int outputs = wOI.Weight[-2], inputs = wOI.Weight[-1], tokens = yTO.Rows;
        Reals x = Read(xTI, (long)tokens * inputs), w = Read(wOI.Weight), y = Read(yTO, (long)tokens * outputs);
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
    public override void MatMulBackwardInput(Tensor gradYTO, PreparedWeight wOI, Tensor gradXTI, bool accumulate = false)
    {
        int outputs = wOI.Weight[-2], inputs = wOI.Weight[-1], tokens = gradXTI.Rows;
        Reals gradY = Read(gradYTO, (long)tokens * outputs), w = Read(wOI.Weight), gradX = Read(gradXTI, (long)tokens * inputs);
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
    public override void MatMulBackwardWeight(Tensor gradYTO, Tensor xTI, PreparedWeight wOI, Tensor gradWOI)
    {
        int outputs = gradWOI[-2], inputs = gradWOI[-1], tokens = gradYTO.Rows;
        Reals gradY = Read(gradYTO, (long)tokens * outputs), x = Read(xTI, (long)tokens * inputs), gradW = Read(gradWOI);
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
    public override void GroupedMatMulForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor yRO)
    {
        Tensor weight = wEOI.Weight;
        int outputs = weight[1], inputs = weight[2];
        Reals x = Read(xTI), w = Read(weight), y = Read(yRO, (long)yRO.Rows * outputs);
        foreach ((int row, int token, int expert) in Routes(rows, yRO.Rows, weight[0]))
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
    public override void GroupedMatMulBackwardInput(Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gradXRI)
    {
        Tensor weight = wEOI.Weight;
        int outputs = weight[1], inputs = weight[2];
        Reals gradY = Read(gradYRO), w = Read(weight), gradX = Read(gradXRI, (long)gradYRO.Rows * inputs);
        foreach ((int row, _, int expert) in Routes(rows, gradYRO.Rows, weight[0]))
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
        Tensor gradYRO, Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gradWEOI)
    {
        int outputs = gradWEOI[1], inputs = gradWEOI[2];
        Reals gradY = Read(gradYRO), x = Read(xTI), gradW = Read(gradWEOI);
        var sum = new double[gradW.Length];
        foreach ((int row, int token, int expert) in Routes(rows, gradYRO.Rows, gradWEOI[0]))
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
