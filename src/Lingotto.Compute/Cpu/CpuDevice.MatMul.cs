namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override PreparedWeight Prepare(Tensor weightEOI, Arena arena, bool trained, DType precision = DType.F32)
    {
        if (precision is not (DType.F32 or DType.BF16))
        {
            throw new ArgumentOutOfRangeException(nameof(precision), precision, "Matmuls are in F32 or BF16.");
        }

        bool bf16 = precision == DType.BF16, assembled = bf16 ? HasBf16Products : AssembledF32Refusal is null;
        int groups = weightEOI.Rank == 3 ? weightEOI[0] : 1, outputs = weightEOI[-2], inputs = weightEOI[-1];
        Tensor forward = Panels(inputs, outputs), backward = trained ? Panels(outputs, inputs) : default;
        return new CpuPreparedWeight(weightEOI, precision, assembled, forward, backward);

        Tensor Panels(int depth, int columns) => (assembled, bf16) switch
        {
            (true, true) => arena.Allocate(
                DType.BF16, groups, checked(2 * PanelWords<WordTile<PairWord, AssembledTile>>(depth, columns))),
            (true, false) => arena.Allocate(DType.F32, groups, PanelWords<WordTile<FloatWord, AssembledTile>>(depth, columns)),
            _ => arena.Allocate(DType.F32, groups, PanelWords<LanesTile>(depth, columns)),
        };
    }

    /// <inheritdoc/>
    public override void Refresh(PreparedWeight weight) => WithTile(Own(weight), new PackOperation(this, Own(weight)));

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTI, PreparedWeight wOI, Tensor yTO, bool accumulate = false) =>
        Matmul(xTI, default, Own(wOI), forward: true, yTO, accumulate);

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTO, PreparedWeight wOI, Tensor gradXTI, bool accumulate = false) =>
        Matmul(gradYTO, default, Own(wOI), forward: false, gradXTI, accumulate);

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTO, Tensor xTI, PreparedWeight wOI, Tensor gradWOI) =>
        Gradient(gradYTO, xTI, default, Own(wOI), gradWOI);

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor yRO) =>
        Matmul(xTI, rows, Own(wEOI), forward: true, yRO, accumulate: false);

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gradXRI) =>
        Matmul(gradYRO, rows with { TokenOfRowR = default }, Own(wEOI), forward: false, gradXRI, accumulate: false);

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(Tensor gradYRO, Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gradWEOI) =>
        Gradient(gradYRO, xTI, rows, Own(wEOI), gradWEOI);

    /// <inheritdoc/>
    public override void MatMulSwiGluForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor yRF)
    {
        RequireHalf(gateUpR2F, yRF);
        MatmulOperands matmul = Operands(xTI, rows, Own(wEOI), forward: true, gateUpR2F, accumulate: false);
        if (IsBf16(yRF, yRF.Length, out void* y))
        {
            Matmul(matmul, new SwiGlu.ForwardKernel<Bf16Element>(matmul.Y, y, yRF.Columns));
        }
        else
        {
            Matmul(matmul, new SwiGlu.ForwardKernel<F32Element>(matmul.Y, y, yRF.Columns));
        }
    }

    /// <inheritdoc/>
    public override void MatMulSwiGluBackward(
        Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F)
    {
        RequireHalf(gateUpR2F, gradHiddenRF);
        float* gateUp = Floats(gateUpR2F, 2 * gradHiddenRF.Length);
        MatmulOperands matmul = Operands(
            gradYRO, rows with { TokenOfRowR = default }, Own(wEOI), forward: false, gradHiddenRF, accumulate: false);
        if (IsBf16(gradGateUpR2F, 2 * gradHiddenRF.Length, out void* gradGateUp))
        {
            Matmul(matmul, new SwiGlu.BackwardKernel<Bf16Element>(matmul.Y, gateUp, gradGateUp, gradHiddenRF.Columns));
        }
        else
        {
            Matmul(matmul, new SwiGlu.BackwardKernel<F32Element>(matmul.Y, gateUp, gradGateUp, gradHiddenRF.Columns));
        }
    }

    private static void RequireHalf(Tensor gateUpR2F, Tensor hiddenRF)
    {
        if (hiddenRF.Rows != gateUpR2F.Rows || 2 * hiddenRF.Columns != gateUpR2F.Columns)
        {
            throw new ArgumentException(
                $"SwiGLU halves the columns of gate and up: [{hiddenRF.Rows}, {hiddenRF.Columns}] does not match "
                + $"[{gateUpR2F.Rows}, {gateUpR2F.Columns}].",
                nameof(hiddenRF));
        }
    }

    private static CpuPreparedWeight Own(PreparedWeight weight) =>
        weight as CpuPreparedWeight ?? throw new ArgumentException("The weight was prepared by another device.", nameof(weight));

    private static int* IndexOf(RoutedRows rows, int count) => rows.TokenOfRowR.IsAbsent ? null : Integers(rows.TokenOfRowR, count);

    private static int* OffsetsOf(RoutedRows rows, int groups)
    {
        if (!rows.OffsetsE1.IsAbsent)
        {
            return Integers(rows.OffsetsE1, groups + 1);
        }

        return groups == 1 && rows.TokenOfRowR.IsAbsent ? null : throw new ArgumentException(
            $"Rows without offsets belong to one weight, in order; {groups} weights or rows by index need offsets.", nameof(rows));
    }

    private void Matmul(Tensor x, RoutedRows routed, CpuPreparedWeight w, bool forward, Tensor y, bool accumulate) =>
        Matmul(Operands(x, routed, w, forward, y, accumulate), default(NoEpilogue));

    private static MatmulOperands Operands(Tensor x, RoutedRows routed, CpuPreparedWeight w, bool forward, Tensor y, bool accumulate)
    {
        int rows = y.Rows, sources = routed.TokenOfRowR.IsAbsent ? rows : x.Rows, depth = forward ? w.Inputs : w.Outputs;
        return new MatmulOperands(
            RowsOf(x, sources, depth), IndexOf(routed, rows), OffsetsOf(routed, w.Groups), rows, w, forward,
            Floats(y, (long)rows * (forward ? w.Outputs : w.Inputs)), accumulate);
    }

    /// <summary>A matmul, then a kernel over its rows.</summary>
    private void Matmul<TEpilogue>(in MatmulOperands p, TEpilogue epilogue)
        where TEpilogue : unmanaged, IRangeKernel => WithTile(p.Weight, new MatmulOperation<TEpilogue>(this, p, epilogue));

    private void Matmul<TTile, E, TEpilogue>(in MatmulOperands p, TEpilogue epilogue)
        where TTile : struct, ITile
        where E : struct, IElement
        where TEpilogue : unmanaged, IRangeKernel
    {
        int panels = PanelCount<TTile>(p.Columns);
        int size = RowBlocks.SizeFor(p.Rows, p.Weight.Groups, TTile.RowBlock, TTile.Rows, _workers.Count);
        var blocks = new RowBlocks(p.Offsets, p.Rows, p.Weight.Groups, size);
        var matmul = new RowMatmul<TTile, E, TEpilogue>
        {
            X = p.X.First,
            XStep = p.X.Step,
            RowIndex = p.RowIndex,
            Blocks = blocks,
            B = (uint*)Pointer(p.Panels),
            Depth = p.Depth,
            Columns = p.Columns,
            Y = p.Y,
            Accumulate = p.Accumulate,
            Scratch = (uint*)WorkerScratch(RowMatmul<TTile, E, TEpilogue>.ScratchLength),
            PanelCount = panels,
            PanelsPerTask = blocks.PanelsPerTask(panels, _workers.Count),
            Epilogue = epilogue,
        };
        _workers.For(matmul.Tasks, 1, matmul);
        RunEpilogue(p, epilogue, matmul.TakesWholeRows);
    }

    /// <summary>Runs the kernel that follows a matmul, unless the tasks had whole rows and ran it themselves.</summary>
    private void RunEpilogue<TEpilogue>(in MatmulOperands p, TEpilogue epilogue, bool isDone)
        where TEpilogue : unmanaged, IRangeKernel
    {
        const int rowsPerTask = 32; // an epilogue is a pass over rows like SwiGlu's, whose grain this is
        if (!isDone && typeof(TEpilogue) != typeof(NoEpilogue))
        {
            _workers.For(p.Rows, rowsPerTask, epilogue);
        }
    }

    private void Gradient(Tensor gradY, Tensor x, RoutedRows routed, CpuPreparedWeight w, Tensor gradW)
    {
        int rows = gradY.Rows, sources = routed.TokenOfRowR.IsAbsent ? rows : x.Rows;
        Gradient(w, new GradientOperands(
            RowsOf(gradY, rows, w.Outputs), RowsOf(x, sources, w.Inputs), IndexOf(routed, rows), OffsetsOf(routed, w.Groups), rows, w,
            Floats(gradW, w.Weight.Length)));
    }

    private void Gradient(CpuPreparedWeight w, in GradientOperands g) => WithTile(w, new GradientOperation(this, g));

    private void Gradient<TTile, EY, EX>(in GradientOperands g)
        where TTile : struct, ITile
        where EY : struct, IElement
        where EX : struct, IElement
    {
        float* scratch = GradientScratch(g, WeightGradient<TTile, EY, EX>.ScratchLength, out int* order);
        var gradient = new WeightGradient<TTile, EY, EX>
        {
            Operands = g,
            Order = order,
            Scratch = (uint*)scratch,
            OutputsPerTask = OutputsPerTask(g, TTile.OutputGranule, TTile.OutputBlock),
        };
        _workers.For(gradient.Tasks, 1, gradient);
    }

    /// <summary>Floats for each worker and, after them, the order of the groups.</summary>
    private float* GradientScratch(in GradientOperands g, int floatsPerWorker, out int* order)
    {
        float* scratch = WorkerScratch(floatsPerWorker + g.Groups);
        order = (int*)(scratch + (nint)floatsPerWorker * _workers.Count);
        GroupOrder.LargestFirst(g.Offsets, g.Groups, order);
        return scratch;
    }

    /// <summary>Outputs of a wgrad task: fewer than a whole block where the groups alone do not give every worker one.</summary>
    private int OutputsPerTask(in GradientOperands g, int granule, int block)
    {
        int tasks = Math.Max(1, _workers.Count / g.Groups), share = (g.Outputs + tasks - 1) / tasks;
        return Math.Clamp((share + granule - 1) / granule * granule, 8 * granule, block);
    }

    private static OperandRows RowsOf(Tensor x, int rows, int columns)
    {
        _ = IsBf16(x, (long)rows * columns, out void* elements);
        return new OperandRows(elements, columns, x.DType);
    }
}
