using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>All experts are on this rank: they read token rows by index, and nothing moves.</summary>
internal sealed class LocalTokenDispatcher(Device device) : ITokenDispatcher
{
    public DispatchActivations Allocate(ModelConfig config, int tokens, Arena arena, DType precision) => new(config, tokens, arena);

    public void Dispatch(Tensor xTD, Tensor topKExpertIdsTK, DispatchActivations a)
    {
        device.DispatchPlan(topKExpertIdsTK, a.TokensPerExpert, a.Offsets, a.TokenOfRow, a.RowOfChoice);
        (a.Source, a.Rows) = (xTD, new RoutedRows(a.TokenOfRow, a.Offsets));
    }

    public void Combine(Tensor rowsRD, Tensor weightsTK, DispatchActivations a, Tensor yTD) =>
        device.CombineForward(rowsRD, a.RowOfChoice, weightsTK, yTD);

    public void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor weightsTK, DispatchActivations a, Tensor gradRowsRD, Tensor gradWeightsTK) =>
        device.CombineBackward(gradYTD, rowsRD, a.RowOfChoice, weightsTK, gradRowsRD, gradWeightsTK);

    public void DispatchBackward(Tensor gradRowsRD, DispatchActivations a, Tensor gradXTD) =>
        device.DispatchBackward(gradRowsRD, a.RowOfChoice, gradXTD);
}
