namespace Lingotto.Compute;

public abstract partial class PrimitiveDevice
{
    /// <summary>Keeps the tensor itself in F32, and a rounded copy of it in BF16.</summary>
    public override PreparedWeight Prepare(Tensor weightEOI, Arena arena, bool trained, DType precision = DType.F32)
    {
        ArgumentNullException.ThrowIfNull(arena);
        Span<int> shape = [weightEOI[0], weightEOI[1], weightEOI.Rank == 3 ? weightEOI[2] : 1];
        return new PrimitiveWeight(
            weightEOI, precision, precision == DType.BF16 ? arena.Allocate(DType.BF16, shape[..weightEOI.Rank]) : weightEOI);
    }

    /// <inheritdoc/>
    public override void Refresh(PreparedWeight weight)
    {
        Tensor operand = OperandOf(weight);
        if (operand.DType != weight.Weight.DType)
        {
            Copy(weight.Weight, operand);
        }
    }

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTI, PreparedWeight wOI, Tensor yTO, bool accumulate = false)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyForward(InPrecisionOf(wOI, xTI, scratch), default, OperandOf(wOI), yTO, accumulate);
    }

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTO, PreparedWeight wOI, Tensor gradXTI, bool accumulate = false)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardInput(InPrecisionOf(wOI, gradYTO, scratch), default, OperandOf(wOI), gradXTI, accumulate);
    }

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTO, Tensor xTI, PreparedWeight wOI, Tensor gradWOI)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardWeight(InPrecisionOf(wOI, gradYTO, scratch), InPrecisionOf(wOI, xTI, scratch), default, gradWOI);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor yRO)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyForward(InPrecisionOf(wEOI, xTI, scratch), rows, OperandOf(wEOI), yRO, accumulate: false);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gradXRI)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardInput(
            InPrecisionOf(wEOI, gradYRO, scratch), rows with { TokenOfRowR = default }, OperandOf(wEOI), gradXRI, accumulate: false);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(Tensor gradYRO, Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gradWEOI)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardWeight(InPrecisionOf(wEOI, gradYRO, scratch), InPrecisionOf(wEOI, xTI, scratch), rows, gradWEOI);
    }

    private static Tensor OperandOf(PreparedWeight weight) => weight is PrimitiveWeight own
        ? own.Operand
        : throw new ArgumentException("The weight was prepared by another device.", nameof(weight));

    /// <summary>The other operand as the matmul reads it: rounded to BF16 where the weight's precision says so.</summary>
    private Tensor InPrecisionOf(PreparedWeight weight, Tensor x, ScratchStack.Frame scratch)
    {
        if (weight.Precision != DType.BF16 || x.DType == DType.BF16)
        {
            return x;
        }

        Tensor rounded = scratch.Like(x, DType.BF16);
        Copy(x, rounded);
        return rounded;
    }

    private sealed class PrimitiveWeight(Tensor weight, DType precision, Tensor operand) : PreparedWeight(weight, precision)
    {
        public Tensor Operand { get; } = operand;
    }
}
