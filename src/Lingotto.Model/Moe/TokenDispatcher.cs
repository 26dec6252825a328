using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// Brings tokens to the experts they chose and results back. Local: experts read token rows by index, nothing moves.
/// Experts on other machines are another implementation of the same four steps.
/// </summary>
internal interface ITokenDispatcher
{
    /// <summary>Sorts the choices by expert; returns the rows the local experts work on and the tensor they index.</summary>
    (Tensor Source, RoutedRows Rows) Dispatch(Tensor xTD, Tensor topKExpertIdsTS, DispatchActivations a);

    /// <summary>y[t,:] += sum_k weight[t,k] * the result of choice k.</summary>
    void Combine(Tensor rowsRD, Tensor weightsTS, DispatchActivations a, Tensor yTD);

    /// <summary>Gradients of rows and weights from those of y.</summary>
    void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor weightsTS, DispatchActivations a, Tensor gradRowsRD, Tensor gradWeightsTS);

    /// <summary>gradX[t,:] += the gradients of the rows of token t.</summary>
    void DispatchBackward(Tensor gradRowsRD, DispatchActivations a, Tensor gradXTD);
}

/// <summary>All experts are here.</summary>
internal sealed class LocalTokenDispatcher(Device device) : ITokenDispatcher
{
    public (Tensor Source, RoutedRows Rows) Dispatch(Tensor xTD, Tensor topKExpertIdsTS, DispatchActivations a)
    {
        device.DispatchPlan(topKExpertIdsTS, a.TokensPerExpert, a.Offsets, a.TokenOfRow, a.RowOfChoice);
        return (xTD, a.Rows);
    }

    public void Combine(Tensor rowsRD, Tensor weightsTS, DispatchActivations a, Tensor yTD) =>
        device.CombineForward(rowsRD, a.RowOfChoice, weightsTS, yTD);

    public void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor weightsTS, DispatchActivations a, Tensor gradRowsRD, Tensor gradWeightsTS) =>
        device.CombineBackward(gradYTD, rowsRD, a.RowOfChoice, weightsTS, gradRowsRD, gradWeightsTS);

    public void DispatchBackward(Tensor gradRowsRD, DispatchActivations a, Tensor gradXTD) =>
        device.DispatchBackward(gradRowsRD, a.RowOfChoice, gradXTD);
}

/// <summary>The routing of one micro-batch through one layer.</summary>
internal sealed class DispatchActivations
{
    public DispatchActivations(ModelConfig config, int tokens, Arena arena)
    {
        TokensPerExpert = arena.Allocate(DType.I32, config.NumExperts);
        Offsets = arena.Allocate(DType.I32, config.NumExperts + 1);
        TokenOfRow = arena.Allocate(DType.I32, tokens * config.NumExpertsPerTok);
        RowOfChoice = arena.Allocate(DType.I32, tokens, config.NumExpertsPerTok);
    }

    private DispatchActivations(DispatchActivations whole, int tokens)
    {
        TokensPerExpert = whole.TokensPerExpert;
        Offsets = whole.Offsets;
        TokenOfRow = whole.TokenOfRow.Slice(0, tokens * whole.RowOfChoice.Columns);
        RowOfChoice = whole.RowOfChoice.Slice(0, tokens);
    }

    /// <summary>I32[E].</summary>
    public Tensor TokensPerExpert { get; }

    /// <summary>I32[E + 1].</summary>
    public Tensor Offsets { get; }

    /// <summary>I32[R].</summary>
    public Tensor TokenOfRow { get; }

    /// <summary>I32[T, S].</summary>
    public Tensor RowOfChoice { get; }

    public RoutedRows Rows => new(TokenOfRow, Offsets);

    public DispatchActivations First(int tokens) => new(this, tokens);
}
