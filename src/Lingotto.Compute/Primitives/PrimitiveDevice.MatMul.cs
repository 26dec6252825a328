namespace Lingotto.Compute;

public abstract partial class PrimitiveDevice
{
    /// <summary>Keeps the tensor itself in F32, and a rounded copy of it in BF16.</summary>
    public override PreparedWeight Prepare(Tensor weightENK, Arena arena, bool trained, DType precision = DType.F32)
    {
        ArgumentNullException.ThrowIfNull(arena);
        Span<int> shape = [weightENK[0], weightENK[1], weightENK.Rank == 3 ? weightENK[2] : 1];
        return new PrimitiveWeight(
            weightENK, precision, precision == DType.BF16 ? arena.Allocate(DType.BF16, shape[..weightENK.Rank]) : weightENK);
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
    public override void MatMulForward(Tensor xTK, PreparedWeight wNK, Tensor yTN, bool accumulate = false)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyForward(InPrecisionOf(wNK, xTK, scratch), default, OperandOf(wNK), yTN, accumulate);
    }

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTN, PreparedWeight wNK, Tensor gradXTK, bool accumulate = false)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardInput(InPrecisionOf(wNK, gradYTN, scratch), default, OperandOf(wNK), gradXTK, accumulate);
    }

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTN, Tensor xTK, PreparedWeight wNK, Tensor gradWNK)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardWeight(InPrecisionOf(wNK, gradYTN, scratch), InPrecisionOf(wNK, xTK, scratch), default, gradWNK);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor yRN)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyForward(InPrecisionOf(wENK, xTK, scratch), rows, OperandOf(wENK), yRN, accumulate: false);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gradXRK)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardInput(
            InPrecisionOf(wENK, gradYRN, scratch), rows with { TokenOfRowR = default }, OperandOf(wENK), gradXRK, accumulate: false);
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(Tensor gradYRN, Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gradWENK)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        MultiplyBackwardWeight(InPrecisionOf(wENK, gradYRN, scratch), InPrecisionOf(wENK, xTK, scratch), rows, gradWENK);
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
