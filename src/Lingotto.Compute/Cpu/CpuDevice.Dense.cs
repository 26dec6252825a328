namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void Fill(Tensor x, float value) => Elementwise.Fill(_workers, Floats(x, x.Length), value, x.Length);

    /// <inheritdoc/>
    public override void Copy(Tensor x, Tensor y) => Elementwise.Copy(_workers, Floats(x, x.Length), Floats(y, x.Length), x.Length);

    /// <inheritdoc/>
    public override void Add(Tensor x, Tensor y) => Elementwise.Add(_workers, Floats(x, x.Length), Floats(y, x.Length), x.Length);

    /// <inheritdoc/>
    public override void ScaleColumns(Tensor xTD, Tensor scaleD, Tensor yTD) => Elementwise.ScaleColumns(
        _workers, Floats(xTD, xTD.Length), Floats(scaleD, xTD.Columns), Floats(yTD, xTD.Length), xTD.Rows, xTD.Columns);

    /// <inheritdoc/>
    public override void EmbeddingForward(Tensor idsT, Tensor tableVD, Tensor yTD) => Embedding.Forward(
        _workers, Integers(idsT, idsT.Length), Floats(tableVD, tableVD.Length), Floats(yTD, idsT.Length * tableVD.Columns),
        (int)idsT.Length, tableVD.Columns);

    /// <inheritdoc/>
    public override void EmbeddingBackward(Tensor idsT, Tensor gradYTD, Tensor gradTableVD) => Embedding.Backward(
        _workers, Integers(idsT, idsT.Length), Floats(gradYTD, idsT.Length * gradTableVD.Columns), Floats(gradTableVD, gradTableVD.Length),
        (int)idsT.Length, gradTableVD.Columns);

    /// <inheritdoc/>
    public override void RmsNormForward(Tensor xTD, Tensor weightD, float epsilon, Tensor yTD, Tensor rstdT)
    {
        int columns = xTD.Columns;
        var rows = new NormRows(xTD.Rows, columns, 0, 1, columns, 1);
        float* x = Floats(xTD, xTD.Length), weight = Floats(weightD, columns), rstd = Floats(rstdT, xTD.Rows);
        if (IsBf16(yTD, xTD.Length, out void* y))
        {
            RmsNorm.Forward<Bf16Element>(_workers, rows, x, weight, epsilon, y, rstd);
        }
        else
        {
            RmsNorm.Forward<F32Element>(_workers, rows, x, weight, epsilon, y, rstd);
        }
    }

    /// <inheritdoc/>
    public override void RmsNormBackward(Tensor gradYTD, Tensor xTD, Tensor weightD, Tensor rstdT, Tensor gradXTD, Tensor gradWeightD)
    {
        int columns = xTD.Columns;
        RmsNorm.Backward(
            _workers, new NormRows(xTD.Rows, columns, 0, 1, columns, 1), Floats(gradYTD, xTD.Length), Floats(xTD, xTD.Length),
            Floats(weightD, columns), Floats(rstdT, xTD.Rows), Floats(gradXTD, xTD.Length), Floats(gradWeightD, columns),
            SharedScratch(RmsNorm.ScratchLength(xTD.Rows, columns)));
    }

    /// <inheritdoc/>
    public override void SwiGluForward(Tensor gateUpR2F, Tensor yRF)
    {
        float* gateUp = Floats(gateUpR2F, 2 * yRF.Length);
        if (IsBf16(yRF, yRF.Length, out void* y))
        {
            SwiGlu.Forward<Bf16Element>(_workers, gateUp, y, yRF.Rows, yRF.Columns);
        }
        else
        {
            SwiGlu.Forward<F32Element>(_workers, gateUp, y, yRF.Rows, yRF.Columns);
        }
    }

    /// <inheritdoc/>
    public override void SwiGluBackward(Tensor gradYRF, Tensor gateUpR2F, Tensor gradGateUpR2F)
    {
        float* gradY = Floats(gradYRF, gradYRF.Length), gateUp = Floats(gateUpR2F, 2 * gradYRF.Length);
        if (IsBf16(gradGateUpR2F, 2 * gradYRF.Length, out void* gradGateUp))
        {
            SwiGlu.Backward<Bf16Element>(_workers, gradY, gateUp, gradGateUp, gradYRF.Rows, gradYRF.Columns);
        }
        else
        {
            SwiGlu.Backward<F32Element>(_workers, gradY, gateUp, gradGateUp, gradYRF.Rows, gradYRF.Columns);
        }
    }

    /// <inheritdoc/>
    public override void AdamWUpdate(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep step)
    {
        long length = parameters.Length;
        AdamW.Update(
            _workers, Floats(parameters, length), Floats(gradients, length), Floats(firstMoments, length), Floats(secondMoments, length),
            length, step);
    }

    /// <inheritdoc/>
    public override void Sum(Tensor x, Tensor result1) => Reduce(x, squares: false, result1);

    /// <inheritdoc/>
    public override void SumOfSquares(Tensor x, Tensor result1) => Reduce(x, squares: true, result1);

    private void Reduce(Tensor x, bool squares, Tensor result1) => Reduction.Sum(
        _workers, Floats(x, x.Length), x.Length, squares, (double*)SharedScratch(2 * Reduction.ScratchLength(x.Length)),
        Floats(result1, 1));
}
