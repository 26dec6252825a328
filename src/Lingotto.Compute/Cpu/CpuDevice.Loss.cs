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
            Product(w.ForwardPanels, hChunk, rows, hidden, vocabulary, logits);
            _workers.For(
                rows, CrossEntropyRows.Grain,
                new CrossEntropyRows(logits, targets + first, vocabulary, gradScale, loss + first, gradients: !gradHTD.IsAbsent));
            if (!gradHTD.IsAbsent)
            {
                Gradient(logits, hChunk, rows, vocabulary, hidden, Floats(gradWVD, (long)vocabulary * hidden));
                Product(w.BackwardPanels, logits, rows, vocabulary, hidden, Floats(gradHTD, hTD.Length) + (nint)first * hidden);
            }
        }
    }

    private void Product(Tensor panels, float* x, int rows, int depth, int columns, float* y)
    {
        int width = Panels.Width(Isa);
        var product = new RowProduct
        {
            X = x,
            XStep = depth,
            Rows = rows,
            Groups = 1,
            B = Floats(panels, panels.Length),
            Depth = depth,
            Columns = columns,
            PanelWidth = width,
            Y = y,
            YStep = columns,
            Scratch = WorkerScratch(RowProduct.ScratchLength),
            PanelsPerTask = RowProduct.ChoosePanelsPerTask(rows, 1, columns, width, _workers.Count),
        };
        _workers.For(product.Tasks, 1, product);
    }

    private void Gradient(float* gradY, float* x, int rows, int outputs, int inputs, float* gradW)
    {
        var gradient = new WeightGradient
        {
            GradY = gradY,
            GradYStep = outputs,
            X = x,
            XStep = inputs,
            Rows = rows,
            Groups = 1,
            Outputs = outputs,
            Inputs = inputs,
            PanelWidth = Panels.Width(Isa),
            GradW = gradW,
            Scratch = WorkerScratch(WeightGradient.ScratchLength),
        };
        _workers.For(gradient.Tasks, 1, gradient);
    }
}
