namespace Lingotto.Compute;

public sealed partial class ReferenceDevice
{
    /// <inheritdoc/>
    public override void Fill(Tensor x, float value)
    {
        Reals to = Read(x);
        for (long i = 0; i < to.Length; i++)
        {
            to[i] = value;
        }
    }

    /// <inheritdoc/>
    public override void Copy(Tensor x, Tensor y)
    {
        Reals from = Read(x), to = Read(y, x.Length);
        for (long i = 0; i < to.Length; i++)
        {
            to[i] = from[i];
        }
    }

    /// <inheritdoc/>
    public override void Add(Tensor x, Tensor y)
    {
        Reals from = Read(x), to = Read(y, x.Length);
        for (long i = 0; i < to.Length; i++)
        {
            to[i] += from[i];
        }
    }

    /// <inheritdoc/>
    public override void ScaleColumns(Tensor xTD, Tensor scaleD, Tensor yTD)
    {
        int columns = xTD.Columns;
        Reals x = Read(xTD), scale = Read(scaleD, columns), y = Read(yTD, xTD.Length);
        for (long i = 0; i < x.Length; i++)
        {
            y[i] = x[i] * scale[i % columns];
        }
    }

    /// <inheritdoc/>
    public override void EmbeddingForward(Tensor idsT, Tensor tableVD, Tensor yTD)
    {
        int columns = tableVD.Columns;
        Span<int> ids = Integers(idsT, idsT.Length);
        Reals table = Read(tableVD), y = Read(yTD, (long)ids.Length * columns);
        for (int t = 0; t < ids.Length; t++)
        {
            for (int d = 0; d < columns; d++)
            {
                y[(long)t * columns + d] = table[(long)ids[t] * columns + d];
            }
        }
    }

    /// <inheritdoc/>
    public override void EmbeddingBackward(Tensor idsT, Tensor gradYTD, Tensor gradTableVD)
    {
        int columns = gradTableVD.Columns;
        Span<int> ids = Integers(idsT, idsT.Length);
        Reals gradY = Read(gradYTD, (long)ids.Length * columns), gradTable = Read(gradTableVD);
        for (int t = 0; t < ids.Length; t++)
        {
            for (int d = 0; d < columns; d++)
            {
                gradTable[(long)ids[t] * columns + d] += gradY[(long)t * columns + d];
            }
        }
    }

    /// <inheritdoc/>
    public override void RmsNormForward(Tensor xTD, Tensor weightD, float epsilon, Tensor yTD, Tensor rstdT)
    {
        int columns = xTD.Columns;
        Reals x = Read(xTD), weight = Read(weightD, columns), y = Read(yTD, xTD.Length), rstd = Read(rstdT, xTD.Rows);
        for (int t = 0; t < xTD.Rows; t++)
        {
            rstd[t] = NormaliseRow(x, weight, (long)t * columns, columns, epsilon, y);
        }
    }

    /// <inheritdoc/>
    public override void RmsNormBackward(Tensor gradYTD, Tensor xTD, Tensor weightD, Tensor rstdT, Tensor gradXTD, Tensor gradWeightD)
    {
        int columns = xTD.Columns;
        Reals gradY = Read(gradYTD, xTD.Length), x = Read(xTD), weight = Read(weightD, columns), rstd = Read(rstdT, xTD.Rows);
        Reals gradX = Read(gradXTD, xTD.Length), gradWeight = Read(gradWeightD, columns);
        for (int t = 0; t < xTD.Rows; t++)
        {
            NormaliseRowBackward(gradY, x, weight, rstd[t], (long)t * columns, columns, gradX, gradWeight);
        }
    }

    /// <inheritdoc/>
    public override void SwiGluForward(Tensor gateUpR2F, Tensor yRF)
    {
        int width = yRF.Columns;
        Reals gateUp = Read(gateUpR2F, 2 * yRF.Length), y = Read(yRF);
        for (long i = 0; i < y.Length; i++)
        {
            long at = i / width * 2 * width + i % width;
            double g = gateUp[at], u = gateUp[at + width];
            y[i] = g * Sigmoid(g) * u;
        }
    }

    /// <inheritdoc/>
    public override void SwiGluBackward(Tensor gradYRF, Tensor gateUpR2F, Tensor gradGateUpR2F)
    {
        int width = gradYRF.Columns;
        Reals gradY = Read(gradYRF), gateUp = Read(gateUpR2F, 2 * gradYRF.Length), gradGateUp = Read(gradGateUpR2F, 2 * gradYRF.Length);
        for (long i = 0; i < gradY.Length; i++)
        {
            long at = i / width * 2 * width + i % width;
            double g = gateUp[at], u = gateUp[at + width], s = Sigmoid(g);
            gradGateUp[at] = gradY[i] * u * (s + g * s * (1 - s));
            gradGateUp[at + width] = gradY[i] * g * s;
        }
    }

    /// <inheritdoc/>
    public override void Sum(Tensor x, Tensor result1)
    {
        Reals from = Read(x), result = Read(result1, 1);
        double sum = 0;
        for (long i = 0; i < from.Length; i++)
        {
            sum += from[i];
        }

        result[0] = sum;
    }

    /// <inheritdoc/>
    public override void SumOfSquares(Tensor x, Tensor result1)
    {
        Reals from = Read(x), result = Read(result1, 1);
        double sum = 0;
        for (long i = 0; i < from.Length; i++)
        {
            sum += from[i] * from[i];
        }

        result[0] = sum;
    }

    /// <inheritdoc/>
    public override void AdamWUpdate(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep step)
    {
        Reals p = Read(parameters), gradient = Read(gradients, parameters.Length);
        Reals m = Read(firstMoments, parameters.Length), v = Read(secondMoments, parameters.Length);
        double beta1 = step.Beta1, beta2 = step.Beta2;
        for (long i = 0; i < p.Length; i++)
        {
            double g = step.GradScale * gradient[i];
            double first = beta1 * m[i] + (1 - beta1) * g, second = beta2 * v[i] + (1 - beta2) * g * g;
            double corrected1 = first / (1 - Math.Pow(beta1, step.Step)), corrected2 = second / (1 - Math.Pow(beta2, step.Step));
            p[i] -= step.LearningRate * (corrected1 / (Math.Sqrt(corrected2) + step.Epsilon) + step.WeightDecay * p[i]);
            (m[i], v[i], gradient[i]) = (first, second, 0);
        }
    }

    /// <summary>y = x * rstd * weight for one row that begins at <paramref name="at"/>; returns rstd.</summary>
    private static double NormaliseRow(Reals x, Reals weight, long at, int columns, double epsilon, Reals y)
    {
        double squares = 0;
        for (int d = 0; d < columns; d++)
        {
            squares += x[at + d] * x[at + d];
        }

        double rstd = 1 / Math.Sqrt(squares / columns + epsilon);
        for (int d = 0; d < columns; d++)
        {
            y[at + d] = x[at + d] * rstd * weight[d];
        }

        return rstd;
    }

    /// <summary>gradX_j = sum_d gradY_d weight_d dn_d/dx_j, dn_d/dx_j = rstd (1[d = j] - n_d n_j / D).</summary>
    private static void NormaliseRowBackward(
        Reals gradY, Reals x, Reals weight, double rstd, long at, int columns, Reals gradX, Reals gradWeight)
    {
        var n = new double[columns];
        var g = new double[columns];
        for (int d = 0; d < columns; d++)
        {
            n[d] = x[at + d] * rstd;
            g[d] = gradY[at + d] * weight[d];
            gradWeight[d] += gradY[at + d] * n[d];
        }

        for (int j = 0; j < columns; j++)
        {
            double sum = g[j];
            for (int d = 0; d < columns; d++)
            {
                sum -= g[d] * n[d] * n[j] / columns;
            }

            gradX[at + j] = rstd * sum;
        }
    }
}
