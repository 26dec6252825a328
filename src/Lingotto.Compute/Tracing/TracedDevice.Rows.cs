namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override void Fill(Tensor x, float value)
    {
        Begin();
        inner.Fill(x, value);
        End(WorkOf.Moving(x));
    }

    /// <inheritdoc/>
    public override void Copy(Tensor x, Tensor y)
    {
        Begin();
        inner.Copy(x, y);
        End(WorkOf.Moving(x, y));
    }

    /// <inheritdoc/>
    public override void Add(Tensor x, Tensor y)
    {
        Begin();
        inner.Add(x, y);
        End(WorkOf.Moving(x, y, y));
    }

    /// <inheritdoc/>
    public override void ScaleColumns(Tensor xTD, Tensor scaleD, Tensor yTD)
    {
        Begin();
        inner.ScaleColumns(xTD, scaleD, yTD);
        End(WorkOf.Moving(xTD, scaleD, yTD));
    }

    /// <inheritdoc/>
    public override void EmbeddingForward(Tensor idsT, Tensor tableVD, Tensor yTD)
    {
        Begin();
        inner.EmbeddingForward(idsT, tableVD, yTD);
        End(WorkOf.Moving(yTD, yTD, idsT));
    }

    /// <inheritdoc/>
    public override void EmbeddingBackward(Tensor idsT, Tensor gradYTD, Tensor gradTableVD)
    {
        Begin();
        inner.EmbeddingBackward(idsT, gradYTD, gradTableVD);
        End(WorkOf.Moving(gradYTD, gradYTD, gradYTD, idsT));
    }

    /// <inheritdoc/>
    public override void RmsNormForward(Tensor xTD, Tensor weightD, float epsilon, Tensor yTD, Tensor rstdT)
    {
        Begin();
        inner.RmsNormForward(xTD, weightD, epsilon, yTD, rstdT);
        End(WorkOf.Moving(xTD, weightD, yTD, rstdT));
    }

    /// <inheritdoc/>
    public override void RmsNormBackward(Tensor gradYTD, Tensor xTD, Tensor weightD, Tensor rstdT, Tensor gradXTD, Tensor gradWeightD)
    {
        Begin();
        inner.RmsNormBackward(gradYTD, xTD, weightD, rstdT, gradXTD, gradWeightD);
        End(WorkOf.Moving(gradYTD, xTD, weightD, rstdT, gradXTD, gradWeightD));
    }

    /// <inheritdoc/>
    public override void SwiGluForward(Tensor gateUpR2F, Tensor yRF)
    {
        Begin();
        inner.SwiGluForward(gateUpR2F, yRF);
        End(WorkOf.Moving(gateUpR2F, yRF));
    }

    /// <inheritdoc/>
    public override void SwiGluBackward(Tensor gradYRF, Tensor gateUpR2F, Tensor gradGateUpR2F)
    {
        Begin();
        inner.SwiGluBackward(gradYRF, gateUpR2F, gradGateUpR2F);
        End(WorkOf.Moving(gradYRF, gateUpR2F, gradGateUpR2F));
    }

    /// <inheritdoc/>
    public override void Sum(Tensor x, Tensor result1)
    {
        Begin();
        inner.Sum(x, result1);
        End(WorkOf.Moving(x));
    }

    /// <inheritdoc/>
    public override void SumOfSquares(Tensor x, Tensor result1)
    {
        Begin();
        inner.SumOfSquares(x, result1);
        End(WorkOf.Moving(x));
    }

    /// <inheritdoc/>
    public override void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD)
    {
        Begin();
        inner.ColumnInverseNorm(wVD, inverseNormD);
        End(WorkOf.Moving(wVD, inverseNormD));
    }

    /// <inheritdoc/>
    public override void AdamWUpdate(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep step)
    {
        Begin();
        inner.AdamWUpdate(parameters, gradients, firstMoments, secondMoments, step);
        End(WorkOf.Moving(parameters, parameters, gradients, gradients, firstMoments, firstMoments, secondMoments, secondMoments));
    }
}
