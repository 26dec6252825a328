namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD) => _workers.For(
        wVD.Columns, Compute.ColumnInverseNorm.Grain,
        new ColumnInverseNorm(Floats(wVD, wVD.Length), wVD.Rows, wVD.Columns, Floats(inverseNormD, wVD.Columns)));

    /// <inheritdoc/>
    public override void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD,
        Tensor weightsT = default, Tensor logProbsT = default)
    {
        CpuPreparedWeight w = Own(wVD);
        int tokens = hTD.Rows, vocabulary = w.Outputs, hidden = w.Inputs, chunk = CrossEntropyChunk.Tokens(vocabulary);
        float* h = Floats(hTD, (long)tokens * hidden), loss = Floats(lossT, tokens), logits = SharedScratch((long)chunk * vocabulary);
        int* targets = Integers(targetsT, tokens);
        float* weights = weightsT.IsAbsent ? null : Floats(weightsT, tokens), logProbs = logProbsT.IsAbsent ? null
            : Floats(logProbsT, tokens);
        for (int first = 0; first < tokens; first += chunk)
        {
            int rows = Math.Min(chunk, tokens - first);
            var hChunk = new OperandRows(h + (nint)first * hidden, hidden, DType.F32);
            Matmul(new MatmulOperands(hChunk, null, null, rows, w, forward: true, logits, accumulate: false), default(NoEpilogue));
            var targetRows = new CrossEntropyTargets(
                targets + first, weights is null ? null : weights + first, loss + first, logProbs is null ? null : logProbs + first);
            OperandRows gradLogits = CrossEntropy(logits, targetRows, rows, vocabulary, gradScale, !gradHTD.IsAbsent, w.Precision);
            if (!gradHTD.IsAbsent)
            {
                Gradient(w, new GradientOperands(gradLogits, hChunk, null, null, rows, w, Floats(gradWVD, (long)vocabulary * hidden)));
                float* gradH = Floats(gradHTD, hTD.Length) + (nint)first * hidden;
                Matmul(new MatmulOperands(gradLogits, null, null, rows, w, forward: false, gradH, accumulate: false),
                    default(NoEpilogue));
            }
        }
    }

    /// <summary>Losses of a chunk; its logits become their gradients in place, in the precision of the matmuls that read them.</summary>
    private OperandRows CrossEntropy(
        float* logits, in CrossEntropyTargets targets, int rows, int vocabulary, float gradScale, bool gradients, DType precision)
    {
        if (precision == DType.BF16)
        {
            _workers.For(
                rows, CrossEntropyRows<Bf16Element>.Grain,
                new CrossEntropyRows<Bf16Element>(logits, targets, vocabulary, gradScale, gradients));
            return new OperandRows(logits, 2 * (nint)vocabulary, DType.BF16);
        }

        _workers.For(
            rows, CrossEntropyRows<F32Element>.Grain, new CrossEntropyRows<F32Element>(logits, targets, vocabulary, gradScale, gradients));
        return new OperandRows(logits, vocabulary, DType.F32);
    }
}
