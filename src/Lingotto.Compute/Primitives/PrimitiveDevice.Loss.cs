namespace Lingotto.Compute;

public abstract partial class PrimitiveDevice
{
    /// <summary>Logits held at a time.</summary>
    private const long LogitBytes = 16L << 20;

    /// <inheritdoc/>
    public override void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD)
    {
        int rows = wVD.Rows, columns = wVD.Columns, rowsAtOnce = Math.Max(1, PassElements / columns);
        Fill(inverseNormD, 0);
        for (int first = 0; first < rows; first += rowsAtOnce)
        {
            using ScratchStack.Frame scratch = OpenScratch();
            Tensor w = wVD.Reshape(rows, columns).Slice(first, Math.Min(rowsAtOnce, rows - first)), squares = scratch.Like(w);
            Multiply(w, w, squares);
            SumColumns(squares, inverseNormD);
        }

        Map(UnaryFunction.Sqrt, inverseNormD, inverseNormD);
        Map(UnaryFunction.Reciprocal, inverseNormD, inverseNormD, 1, 1e-7f);
    }

    /// <inheritdoc/>
    public override void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD,
        Tensor weightsT = default, Tensor logProbsT = default)
    {
        ArgumentNullException.ThrowIfNull(wVD);
        int tokens = hTD.Rows, vocabulary = wVD.Weight[-2], chunk = (int)Math.Clamp(LogitBytes / sizeof(float) / vocabulary, 1, 1024);
        for (int first = 0; first < tokens; first += chunk)
        {
            int count = Math.Min(chunk, tokens - first);
            Tensor Part(Tensor x) => x.IsAbsent ? default : x.Slice(first, count);
            using ScratchStack.Frame scratch = OpenScratch();
            Tensor h = Part(hTD), logits = scratch.F32(count, vocabulary), rowScale = scratch.F32(count);
            MatMulForward(h, wVD, logits);
            CrossEntropy(logits, Part(targetsT), Part(weightsT), Part(lossT), Part(logProbsT), rowScale, scratch);
            if (gradHTD.IsAbsent)
            {
                continue;
            }

            // The logits have become probabilities: g = gradScale * weight * (p - onehot).
            Scale(rowScale, gradScale, rowScale);
            Multiply(logits, rowScale, logits, Broadcast.PerRow);
            Scale(rowScale, -1, rowScale);
            ScatterAddColumns(rowScale.Reshape(count, 1), Part(targetsT).Reshape(count, 1), logits);
            MatMulBackwardWeight(logits, h, wVD, gradWVD);
            MatMulBackwardInput(logits, wVD, Part(gradHTD));
        }
    }

    /// <summary>
    /// Losses and log-probabilities of a chunk; its logits become probabilities, and rowScale the weights, 0 where ignored.
    /// </summary>
    private void CrossEntropy(
        Tensor logits, Tensor targets, Tensor weights, Tensor loss, Tensor logProbs, Tensor rowScale, ScratchStack.Frame scratch)
    {
        int count = logits.Rows;
        Tensor logProb = scratch.F32(count), logSumExp = scratch.F32(count);
        GatherColumns(logits, targets.Reshape(count, 1), logProb.Reshape(count, 1));
        SoftmaxRows(logits, null, logits, logSumExp);
        Map(BinaryFunction.Subtract, logProb, logSumExp, Broadcast.None, logProb);

        // sign(max(target + 1, 0)) is 1 for a token and 0 for an ignored target, which is negative.
        Copy(targets, rowScale);
        Map(UnaryFunction.Relu, rowScale, rowScale, 1, 1);
        Map(UnaryFunction.Sign, rowScale, rowScale);
        Multiply(logProb, rowScale, logProb);
        if (!logProbs.IsAbsent)
        {
            Copy(logProb, logProbs);
        }

        if (!weights.IsAbsent)
        {
            Multiply(rowScale, weights, rowScale);
            Multiply(logProb, weights, logProb);
        }

        Scale(logProb, -1, loss);
    }
}
