namespace Lingotto.Compute;

public abstract partial class PrimitiveDevice
{
    /// <summary>Elements that a sum over a whole tensor takes at a time.</summary>
    private const int SumBlock = 16384;

    /// <summary>Elements that a pass over a whole parameter block takes at a time, so that its scratch stays small.</summary>
    private const int PassElements = 1 << 20;

    /// <inheritdoc/>
    public override void Copy(Tensor x, Tensor y) => CopyColumns(x, 0, y.Reshape(x.Rows, x.Columns), 0, x.Columns);

    /// <inheritdoc/>
    public override void Add(Tensor x, Tensor y) => Map(BinaryFunction.Add, y, x, Broadcast.None, y);

    /// <inheritdoc/>
    public override void ScaleColumns(Tensor xTD, Tensor scaleD, Tensor yTD) => Multiply(xTD, scaleD, yTD, Broadcast.PerColumn);

    /// <inheritdoc/>
    public override void EmbeddingForward(Tensor idsT, Tensor tableVD, Tensor yTD) => GatherRows(tableVD, idsT, yTD);

    /// <inheritdoc/>
    public override void EmbeddingBackward(Tensor idsT, Tensor gradYTD, Tensor gradTableVD) => ScatterAddRows(gradYTD, idsT, gradTableVD);

    /// <inheritdoc/>
    public override void RmsNormForward(Tensor xTD, Tensor weightD, float epsilon, Tensor yTD, Tensor rstdT)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        Tensor normalised = scratch.Like(xTD);
        ReduceRows(RowReduction.SumOfSquares, xTD, rstdT);
        Map(UnaryFunction.Rsqrt, rstdT, rstdT, 1f / xTD.Columns, epsilon);
        Multiply(xTD, rstdT, normalised, Broadcast.PerRow);
        Multiply(normalised, weightD, yTD, Broadcast.PerColumn);
    }

    /// <inheritdoc/>
    public override void RmsNormBackward(Tensor gradYTD, Tensor xTD, Tensor weightD, Tensor rstdT, Tensor gradXTD, Tensor gradWeightD)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        Tensor n = scratch.Like(xTD), g = scratch.Like(xTD), both = scratch.Like(xTD), mean = scratch.F32(xTD.Rows);
        Multiply(xTD, rstdT, n, Broadcast.PerRow);
        Multiply(gradYTD, n, both);
        SumColumns(both, gradWeightD);

        // gradX = rstd * (g - n * mean_d(g * n)) with g = gradY * weight.
        Multiply(gradYTD, weightD, g, Broadcast.PerColumn);
        Multiply(g, n, both);
        ReduceRows(RowReduction.Sum, both, mean);
        Scale(mean, 1f / xTD.Columns, mean);
        Multiply(n, mean, n, Broadcast.PerRow);
        Map(BinaryFunction.Subtract, g, n, Broadcast.None, g);
        Multiply(g, rstdT, gradXTD, Broadcast.PerRow);
    }

    /// <inheritdoc/>
    public override void SwiGluForward(Tensor gateUpR2F, Tensor yRF)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        (Tensor gate, Tensor up, Tensor sigmoid) = GateUp(gateUpR2F, yRF, scratch);
        Multiply(gate, sigmoid, gate);
        Multiply(gate, up, yRF);
    }

    /// <inheritdoc/>
    public override void SwiGluBackward(Tensor gradYRF, Tensor gateUpR2F, Tensor gradGateUpR2F)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int width = gradYRF.Columns;
        Tensor grad = scratch.Like(gradYRF), factor = scratch.Like(gradYRF);
        (Tensor gate, Tensor up, Tensor sigmoid) = GateUp(gateUpR2F, gradYRF, scratch);
        Tensor silu = gate;
        Multiply(gate, sigmoid, silu);
        Multiply(gradYRF, silu, grad);
        CopyColumns(grad, 0, gradGateUpR2F, width, width);

        // d silu / d gate = s + gate * s * (1 - s).
        Scale(sigmoid, -1, factor, 1);
        Multiply(factor, silu, factor);
        Map(BinaryFunction.Add, factor, sigmoid, Broadcast.None, factor);
        Multiply(factor, up, factor);
        Multiply(factor, gradYRF, grad);
        CopyColumns(grad, 0, gradGateUpR2F, 0, width);
    }

    /// <inheritdoc/>
    public override void Sum(Tensor x, Tensor result1) => Reduce(RowReduction.Sum, x, result1);

    /// <inheritdoc/>
    public override void SumOfSquares(Tensor x, Tensor result1) => Reduce(RowReduction.SumOfSquares, x, result1);

    /// <inheritdoc/>
    public override void AdamWUpdate(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep step)
    {
        int length = checked((int)parameters.Length);
        for (int first = 0; first < length; first += PassElements)
        {
            int count = Math.Min(PassElements, length - first);
            AdamWPass(Part(parameters), Part(gradients), Part(firstMoments), Part(secondMoments), step);
            Tensor Part(Tensor x) => x.Reshape(length).Slice(first, count);
        }
    }

    private void AdamWPass(Tensor p, Tensor g, Tensor m, Tensor v, in AdamWStep step)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        Tensor grad = scratch.Like(g), update = scratch.Like(g);
        Scale(g, step.GradScale, grad);
        Scale(grad, 1 - step.Beta1, update);
        Scale(m, step.Beta1, m);
        Add(update, m);
        Multiply(grad, grad, grad);
        Scale(grad, 1 - step.Beta2, grad);
        Scale(v, step.Beta2, v);
        Add(grad, v);

        // lr * mhat / (sqrt(vhat) + eps) = rate * m / (sqrt(v) * root + eps), with the two bias corrections folded in.
        Map(UnaryFunction.Sqrt, v, grad);
        Scale(grad, (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step))), grad, step.Epsilon);
        Map(BinaryFunction.Divide, m, grad, Broadcast.None, update);
        Scale(update, (float)(step.LearningRate / (1 - Math.Pow(step.Beta1, step.Step))), update);
        Scale(p, 1 - step.LearningRate * step.WeightDecay, p);
        Map(BinaryFunction.Subtract, p, update, Broadcast.None, p);
        Fill(g, 0);
    }

    /// <summary>Sums of whole blocks, then the sum of those and of the rest: the same tree for any device.</summary>
    private void Reduce(RowReduction f, Tensor x, Tensor result1)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int blocks = checked((int)(x.Length / SumBlock)), rest = (int)(x.Length % SumBlock);
        Tensor partials = scratch.F32(blocks + 1);
        Fill(partials, 0);
        if (blocks > 0)
        {
            ReduceRows(f, x.Leading(blocks, SumBlock), partials.Slice(0, blocks));
        }

        if (rest > 0)
        {
            long offset = x.ByteOffset + (long)blocks * SumBlock * x.DType.Size();
            ReduceRows(f, new Tensor(x.Block, offset, x.DType, [1, rest]), partials.Slice(blocks, 1));
        }

        ReduceRows(RowReduction.Sum, Flat(partials), result1);
    }

    /// <summary>Both halves of the rows, and the sigmoid of the gate.</summary>
    private (Tensor Gate, Tensor Up, Tensor Sigmoid) GateUp(Tensor gateUpR2F, Tensor halfRF, ScratchStack.Frame scratch)
    {
        int width = halfRF.Columns;
        Tensor gate = scratch.Like(halfRF), up = scratch.Like(halfRF), sigmoid = scratch.Like(halfRF);
        CopyColumns(gateUpR2F, 0, gate, 0, width);
        CopyColumns(gateUpR2F, width, up, 0, width);
        Map(UnaryFunction.Sigmoid, gate, sigmoid);
        return (gate, up, sigmoid);
    }
}
