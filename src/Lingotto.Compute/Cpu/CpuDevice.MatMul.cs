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
        Tensor forward = Panel(inputs, outputs), backward = trained ? Panel(outputs, inputs) : default;
        return new CpuPreparedWeight(weightEOI, precision, assembled, forward, backward);

        Tensor Panel(int depth, int columns) => assembled && bf16
            ? arena.Allocate(DType.BF16, groups, checked(2 * (int)Words<PairWord>.Length(depth, columns)))
            : arena.Allocate(DType.F32, groups,
                checked((int)(assembled ? Words<FloatWord>.Length(depth, columns) : Panels.Length(Isa, depth, columns))));
    }

    /// <inheritdoc/>
    public override void Refresh(PreparedWeight weight)
    {
        CpuPreparedWeight w = Own(weight);
        float* values = Floats(w.Weight, w.Weight.Length);
        void* forward = Pointer(w.ForwardPanels), backward = w.BackwardPanels.IsAbsent ? null : Pointer(w.BackwardPanels);
        if (w.Assembled && w.Precision == DType.BF16)
        {
            var words = new AssembledPackWeight<PairWord>(values, (uint*)forward, (uint*)backward, w.Groups, w.Outputs, w.Inputs);
            _workers.For(words.Tasks, 1, words);
            return;
        }

        if (w.Assembled)
        {
            var words = new AssembledPackWeight<FloatWord>(values, (uint*)forward, (uint*)backward, w.Groups, w.Outputs, w.Inputs);
            _workers.For(words.Tasks, 1, words);
            return;
        }

        var pack = new PackWeight(
            values, (float*)forward, (float*)backward, w.Groups, w.Outputs, w.Inputs, Panels.Width(Isa), w.Precision == DType.BF16);
        _workers.For(pack.Tasks, 1, pack);
    }

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTI, PreparedWeight wOI, Tensor yTO, bool accumulate = false) =>
        Product(xTI, default, Own(wOI), forward: true, yTO, accumulate);

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTO, PreparedWeight wOI, Tensor gradXTI, bool accumulate = false) =>
        Product(gradYTO, default, Own(wOI), forward: false, gradXTI, accumulate);

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTO, Tensor xTI, PreparedWeight wOI, Tensor gradWOI) =>
        Gradient(gradYTO, xTI, default, Own(wOI), gradWOI);

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor yRO) =>
        Product(xTI, rows, Own(wEOI), forward: true, yRO, accumulate: false);

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gradXRI) =>
        Product(gradYRO, rows with { TokenOfRowR = default }, Own(wEOI), forward: false, gradXRI, accumulate: false);

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(Tensor gradYRO, Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gradWEOI) =>
        Gradient(gradYRO, xTI, rows, Own(wEOI), gradWEOI);

    /// <inheritdoc/>
    public override void MatMulSwiGluForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor yRF)
    {
        RequireHalf(gateUpR2F, yRF);
        ProductOperands product = Operands(xTI, rows, Own(wEOI), forward: true, gateUpR2F, accumulate: false);
        if (IsBf16(yRF, yRF.Length, out void* y))
        {
            Product(product, new SwiGlu.ForwardKernel<Bf16Element>(product.Y, y, yRF.Columns));
        }
        else
        {
            Product(product, new SwiGlu.ForwardKernel<F32Element>(product.Y, y, yRF.Columns));
        }
    }

    /// <inheritdoc/>
    public override void MatMulSwiGluBackward(
        Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F)
    {
        RequireHalf(gateUpR2F, gradHiddenRF);
        float* gateUp = Floats(gateUpR2F, 2 * gradHiddenRF.Length);
        ProductOperands product = Operands(
            gradYRO, rows with { TokenOfRowR = default }, Own(wEOI), forward: false, gradHiddenRF, accumulate: false);
        if (IsBf16(gradGateUpR2F, 2 * gradHiddenRF.Length, out void* gradGateUp))
        {
            Product(product, new SwiGlu.BackwardKernel<Bf16Element>(product.Y, gateUp, gradGateUp, gradHiddenRF.Columns));
        }
        else
        {
            Product(product, new SwiGlu.BackwardKernel<F32Element>(product.Y, gateUp, gradGateUp, gradHiddenRF.Columns));
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

    private void Product(Tensor x, RoutedRows routed, CpuPreparedWeight w, bool forward, Tensor y, bool accumulate) =>
        Product(Operands(x, routed, w, forward, y, accumulate), default(NoEpilogue));

    private static ProductOperands Operands(Tensor x, RoutedRows routed, CpuPreparedWeight w, bool forward, Tensor y, bool accumulate)
    {
        int rows = y.Rows, sources = routed.TokenOfRowR.IsAbsent ? rows : x.Rows, depth = forward ? w.Inputs : w.Outputs;
        return new ProductOperands(
            RowsOf(x, sources, depth), IndexOf(routed, rows), OffsetsOf(routed, w.Groups), rows, w, forward,
            Floats(y, (long)rows * (forward ? w.Outputs : w.Inputs)), accumulate);
    }

    /// <summary>A matmul, then a kernel over its rows.</summary>
    private void Product<TEpilogue>(in ProductOperands p, TEpilogue epilogue)
        where TEpilogue : unmanaged, IRangeKernel
    {
        bool bf16 = p.X.DType == DType.BF16, bf16Weight = p.Weight.Precision == DType.BF16;
        switch (p.Weight.Assembled, bf16Weight, bf16)
        {
            case (true, true, true):
                AssembledProduct<PairWord, Bf16Element, TEpilogue>(p, epilogue);
                break;
            case (true, true, false):
                AssembledProduct<PairWord, F32Element, TEpilogue>(p, epilogue);
                break;
            case (true, false, true):
                AssembledProduct<FloatWord, Bf16Element, TEpilogue>(p, epilogue);
                break;
            case (true, false, false):
                AssembledProduct<FloatWord, F32Element, TEpilogue>(p, epilogue);
                break;
            case (false, _, true):
                PanelProduct<Bf16Element, TEpilogue>(p, epilogue);
                break;
            case (false, true, false):
                PanelProduct<RoundedElement, TEpilogue>(p, epilogue);
                break;
            default:
                PanelProduct<F32Element, TEpilogue>(p, epilogue);
                break;
        }
    }

    private void AssembledProduct<W, E, TEpilogue>(in ProductOperands p, TEpilogue epilogue)
        where W : struct, IWord
        where E : struct, IElement
        where TEpilogue : unmanaged, IRangeKernel
    {
        if (_tiles == TileChoice.Emulated)
        {
            WordProduct<W, EmulatedTile, E, TEpilogue>(p, epilogue);
        }
        else
        {
            WordProduct<W, AssembledTile, E, TEpilogue>(p, epilogue);
        }
    }

    private void WordProduct<W, K, E, TEpilogue>(in ProductOperands p, TEpilogue epilogue)
        where W : struct, IWord
        where K : struct, IWordKernel
        where E : struct, IElement
        where TEpilogue : unmanaged, IRangeKernel
    {
        int size = RowBlocks.SizeFor(
            p.Rows, p.Weight.Groups, AssembledRowProduct<W, K, E, TEpilogue>.RowBlock, AssembledTile.Rows, _workers.Count);
        var blocks = new RowBlocks(p.Offsets, p.Rows, p.Weight.Groups, size);
        var product = new AssembledRowProduct<W, K, E, TEpilogue>
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
            Scratch = (uint*)WorkerScratch(AssembledRowProduct<W, K, E, TEpilogue>.ScratchLength),
            PanelsPerTask = blocks.PanelsPerTask(AssembledTile.Panels(p.Columns), _workers.Count),
            Epilogue = epilogue,
        };
        _workers.For(product.Tasks, 1, product);
        RunEpilogue(p, epilogue, product.TakesWholeRows);
    }

    private void PanelProduct<E, TEpilogue>(in ProductOperands p, TEpilogue epilogue)
        where E : struct, IElement
        where TEpilogue : unmanaged, IRangeKernel
    {
        int width = Panels.Width(Isa);
        int size = RowBlocks.SizeFor(p.Rows, p.Weight.Groups, RowProduct<E, TEpilogue>.RowBlock, 8, _workers.Count);
        var blocks = new RowBlocks(p.Offsets, p.Rows, p.Weight.Groups, size);
        var product = new RowProduct<E, TEpilogue>
        {
            X = p.X.First,
            XStep = p.X.Step,
            RowIndex = p.RowIndex,
            Blocks = blocks,
            B = (float*)Pointer(p.Panels),
            Depth = p.Depth,
            Columns = p.Columns,
            PanelWidth = width,
            Y = p.Y,
            YStep = p.Columns,
            Accumulate = p.Accumulate,
            Scratch = WorkerScratch(RowProduct<E, TEpilogue>.ScratchLength),
            PanelsPerTask = blocks.PanelsPerTask((p.Columns + width - 1) / width, _workers.Count),
            Epilogue = epilogue,
        };
        _workers.For(product.Tasks, 1, product);
        RunEpilogue(p, epilogue, product.TakesWholeRows);
    }

    /// <summary>Runs the kernel that follows a matmul, unless the tasks had whole rows and ran it themselves.</summary>
    private void RunEpilogue<TEpilogue>(in ProductOperands p, TEpilogue epilogue, bool isDone)
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
        Gradient(new GradientOperands(
            RowsOf(gradY, rows, w.Outputs), RowsOf(x, sources, w.Inputs), IndexOf(routed, rows), OffsetsOf(routed, w.Groups), rows, w,
            Floats(gradW, w.Weight.Length)));
    }

    private void Gradient(in GradientOperands g)
    {
        bool bf16Weight = g.Precision == DType.BF16;
        switch (g.GradY.DType == DType.BF16, g.X.DType == DType.BF16)
        {
            case (true, true):
                Gradient<Bf16Element, Bf16Element>(g);
                break;
            case (true, false) when bf16Weight:
                Gradient<Bf16Element, RoundedElement>(g);
                break;
            case (false, true) when bf16Weight:
                Gradient<RoundedElement, Bf16Element>(g);
                break;
            case (false, false) when bf16Weight:
                Gradient<RoundedElement, RoundedElement>(g);
                break;
            case (true, false):
                Gradient<Bf16Element, F32Element>(g);
                break;
            case (false, true):
                Gradient<F32Element, Bf16Element>(g);
                break;
            default:
                Gradient<F32Element, F32Element>(g);
                break;
        }
    }

    private void Gradient<EY, EX>(in GradientOperands g)
        where EY : struct, IElement
        where EX : struct, IElement
    {
        if (!g.Assembled)
        {
            PanelGradient<EY, EX>(g);
        }
        else if (g.Precision == DType.BF16)
        {
            AssembledGradient<PairWord, EY, EX>(g);
        }
        else
        {
            AssembledGradient<FloatWord, EY, EX>(g);
        }
    }

    private void AssembledGradient<W, EY, EX>(in GradientOperands g)
        where W : struct, IWord
        where EY : struct, IElement
        where EX : struct, IElement
    {
        if (_tiles == TileChoice.Emulated)
        {
            WordGradient<W, EmulatedTile, EY, EX>(g);
        }
        else
        {
            WordGradient<W, AssembledTile, EY, EX>(g);
        }
    }

    private void WordGradient<W, K, EY, EX>(in GradientOperands g)
        where W : struct, IWord
        where K : struct, IWordKernel
        where EY : struct, IElement
        where EX : struct, IElement
    {
        float* scratch = GradientScratch(g, AssembledWeightGradient<W, K, EY, EX>.ScratchLength, out int* order);
        var gradient = new AssembledWeightGradient<W, K, EY, EX>
        {
            Operands = g,
            Order = order,
            Scratch = (uint*)scratch,
            OutputsPerTask = OutputsPerTask(g, AssembledTile.Lanes, AssembledWeightGradient<W, K, EY, EX>.OutputBlock),
        };
        _workers.For(gradient.Tasks, 1, gradient);
    }

    private void PanelGradient<EY, EX>(in GradientOperands g)
        where EY : struct, IElement
        where EX : struct, IElement
    {
        float* scratch = GradientScratch(g, WeightGradient<EY, EX>.ScratchLength, out int* order);
        var gradient = new WeightGradient<EY, EX>
        {
            Operands = g,
            Order = order,
            PanelWidth = Panels.Width(Isa),
            Scratch = scratch,
            OutputsPerTask = OutputsPerTask(g, 8, WeightGradient<EY, EX>.OutputBlock),
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
