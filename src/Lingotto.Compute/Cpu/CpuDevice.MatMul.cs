namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override PreparedWeight Prepare(Tensor weightENK, Arena arena, bool trained)
    {
        int groups = weightENK.Rank == 3 ? weightENK[0] : 1, outputs = weightENK[-2], inputs = weightENK[-1];
        Tensor forward = arena.Allocate(DType.F32, groups, checked((int)Panels.Length(Isa, inputs, outputs)));
        Tensor backward = trained ? arena.Allocate(DType.F32, groups, checked((int)Panels.Length(Isa, outputs, inputs))) : default;
        return new CpuPreparedWeight(weightENK, forward, backward);
    }

    /// <inheritdoc/>
    public override void Refresh(PreparedWeight weight)
    {
        CpuPreparedWeight w = Own(weight);
        var pack = new PackWeight(
            Floats(w.Weight, w.Weight.Length), Floats(w.ForwardPanels, w.ForwardPanels.Length),
            w.BackwardPanels.IsAbsent ? null : Floats(w.BackwardPanels, w.BackwardPanels.Length), w.Groups, w.Outputs, w.Inputs, Panels.Width(Isa));
        _workers.For(pack.Tasks, 1, pack);
    }

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTK, PreparedWeight wNK, Tensor yTN, bool accumulate = false)
    {
        CpuPreparedWeight w = Own(wNK);
        Product(xTK, default, w.ForwardPanels, 1, w.Inputs, w.Outputs, yTN, accumulate);
    }

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTN, PreparedWeight wNK, Tensor gradXTK, bool accumulate = false)
    {
        CpuPreparedWeight w = Own(wNK);
        Product(gradYTN, default, w.BackwardPanels, 1, w.Outputs, w.Inputs, gradXTK, accumulate);
    }

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTN, Tensor xTK, Tensor gradWNK) => Gradient(gradYTN, xTK, default, 1, gradWNK);

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor yRN)
    {
        CpuPreparedWeight w = Own(wENK);
        Product(xTK, rows, w.ForwardPanels, w.Groups, w.Inputs, w.Outputs, yRN, accumulate: false);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gradXRK)
    {
        CpuPreparedWeight w = Own(wENK);
        Product(gradYRN, rows with { TokenOfRowR = default }, w.BackwardPanels, w.Groups, w.Outputs, w.Inputs, gradXRK, accumulate: false);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(Tensor gradYRN, Tensor xTK, RoutedRows rows, Tensor gradWENK) =>
        Gradient(gradYRN, xTK, rows, gradWENK[0], gradWENK);

    private static CpuPreparedWeight Own(PreparedWeight weight) =>
        weight as CpuPreparedWeight ?? throw new ArgumentException("The weight was prepared by another device.", nameof(weight));

    private static int* IndexOf(RoutedRows rows, int count) => rows.TokenOfRowR.IsAbsent ? null : Integers(rows.TokenOfRowR, count);

    private static int* OffsetsOf(RoutedRows rows, int groups) => rows.OffsetsE1.IsAbsent ? null : Integers(rows.OffsetsE1, groups + 1);

    private void Product(Tensor x, RoutedRows routed, Tensor panels, int groups, int depth, int columns, Tensor y, bool accumulate)
    {
        int rows = y.Rows, sources = routed.TokenOfRowR.IsAbsent ? rows : x.Rows;
        Product(
            Floats(x, (long)sources * depth), IndexOf(routed, rows), OffsetsOf(routed, groups), rows, panels, groups, depth, columns,
            Floats(y, (long)rows * columns), accumulate);
    }

    private void Product(
        float* x, int* rowIndex, int* offsets, int rows, Tensor panels, int groups, int depth, int columns, float* y, bool accumulate)
    {
        int width = Panels.Width(Isa);
        var product = new RowProduct
        {
            X = x,
            XStep = depth,
            RowIndex = rowIndex,
            Offsets = offsets,
            Rows = rows,
            Groups = groups,
            B = Floats(panels, panels.Length),
            Depth = depth,
            Columns = columns,
            PanelWidth = width,
            Y = y,
            YStep = columns,
            Accumulate = accumulate,
            Scratch = WorkerScratch(RowProduct.ScratchLength),
            PanelsPerTask = RowProduct.ChoosePanelsPerTask(rows, groups, columns, width, _workers.Count),
        };
        _workers.For(product.Tasks, 1, product);
    }

    private void Gradient(Tensor gradY, Tensor x, RoutedRows routed, int groups, Tensor gradW)
    {
        int rows = gradY.Rows, outputs = gradW[-2], inputs = gradW[-1], sources = routed.TokenOfRowR.IsAbsent ? rows : x.Rows;
        Gradient(
            Floats(gradY, (long)rows * outputs), Floats(x, (long)sources * inputs), IndexOf(routed, rows), OffsetsOf(routed, groups), rows,
            groups, outputs, inputs, Floats(gradW, (long)groups * outputs * inputs));
    }

    private void Gradient(
        float* gradY, float* x, int* rowIndex, int* offsets, int rows, int groups, int outputs, int inputs, float* gradW)
    {
        var gradient = new WeightGradient
        {
            GradY = gradY,
            GradYStep = outputs,
            X = x,
            XStep = inputs,
            RowIndex = rowIndex,
            Offsets = offsets,
            Rows = rows,
            Groups = groups,
            Outputs = outputs,
            Inputs = inputs,
            PanelWidth = Panels.Width(Isa),
            GradW = gradW,
            Scratch = WorkerScratch(WeightGradient.ScratchLength),
        };
        _workers.For(gradient.Tasks, 1, gradient);
    }
}
