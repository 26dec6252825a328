namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD) => _workers.For(
        wVD.Columns, Compute.ColumnInverseNorm.Grain,
        new ColumnInverseNorm(Floats(wVD, wVD.Length), wVD.Rows, wVD.Columns, Floats(inverseNormD, wVD.Columns)));

    /// <inheritdoc/>
    public override void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD)
    {
        CpuPreparedWeight w = Own(wVD);
        int tokens = hTD.Rows, vocabulary = w.Outputs, hidden = w.Inputs, chunk = CrossEntropyRows.ChunkTokens(vocabulary);
        float* h = Floats(hTD, (long)tokens * hidden), loss = Floats(lossT, tokens), logits = SharedScratch((long)chunk * vocabulary);
        int* targets = Integers(targetsT, tokens);
        for (int first = 0; first < tokens; first += chunk)
        {
            int rows = Math.Min(chunk, tokens - first);
            float* hChunk = h + (nint)first * hidden;
            Product(hChunk, null, null, rows, w.ForwardPanels, 1, hidden, vocabulary, logits, accumulate: false);
            _workers.For(
                rows, CrossEntropyRows.Grain,
                new CrossEntropyRows(logits, targets + first, vocabulary, gradScale, loss + first, gradients: !gradHTD.IsAbsent));
            if (!gradHTD.IsAbsent)
            {
                Gradient(
                    logits, hChunk, null, null, rows, 1, vocabulary, hidden, Floats(gradWVD, (long)vocabulary * hidden));
                float* gradH = Floats(gradHTD, hTD.Length) + (nint)first * hidden;
                Product(logits, null, null, rows, w.BackwardPanels, 1, vocabulary, hidden, gradH, accumulate: false);
            }
        }
    }
}
