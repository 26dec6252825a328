using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;

namespace Lingotto.Tests.Model;

/// <summary>
/// Expert parallelism of two thread ranks: every rank has all tokens and half of the experts. Rows are copied into expert order, so
/// that nothing but the dispatcher's rows can be read; results and their gradients are exchanged before they are combined.
/// </summary>
internal sealed class SplitExpertDispatcher(Device device, ThreadRanks ranks, int rank, int firstExpert, int count) : ITokenDispatcher
{
    public DispatchActivations Allocate(ModelConfig config, int tokens, Arena arena, DType precision) => new Activations(config, tokens, arena);

    public void Dispatch(Tensor xTD, Tensor topKExpertIdsTK, DispatchActivations a)
    {
        var own = (Activations)a;
        device.DispatchPlan(topKExpertIdsTK, a.TokensPerExpert, a.Offsets, a.TokenOfRow, a.RowOfChoice);
        device.EmbeddingForward(a.TokenOfRow, xTD, own.RowsRD);
        (a.Source, a.Rows) = (own.RowsRD, new RoutedRows(default, a.Offsets.Slice(firstExpert, count + 1)));
    }

    public void Combine(Tensor rowsRD, Tensor weightsTK, DispatchActivations a, Tensor yTD)
    {
        Exchange(rowsRD, a);
        device.CombineForward(rowsRD, a.RowOfChoice, weightsTK, yTD);
    }

    public void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor weightsTK, DispatchActivations a, Tensor gradRowsRD, Tensor gradWeightsTK) =>
        device.CombineBackward(gradYTD, rowsRD, a.RowOfChoice, weightsTK, gradRowsRD, gradWeightsTK);

    public void DispatchBackward(Tensor gradRowsRD, DispatchActivations a, Tensor gradXTD)
    {
        Exchange(gradRowsRD, a);
        device.DispatchBackward(gradRowsRD, a.RowOfChoice, gradXTD);
    }

    /// <summary>Takes the rows of the other rank's experts from that rank.</summary>
    private void Exchange(Tensor rowsRD, DispatchActivations a)
    {
        int[] offsets = new int[a.Offsets.Length];
        device.Download<int>(a.Offsets, offsets);
        var rows = new float[rowsRD.Length];
        device.Download<float>(rowsRD, rows);
        float[] others = ranks.Exchange(rank, rows);
        int begin = offsets[firstExpert] * rowsRD.Columns, end = offsets[firstExpert + count] * rowsRD.Columns;
        rows.AsSpan(begin, end - begin).CopyTo(others.AsSpan(begin));
        device.Upload<float>(others, rowsRD);
    }

    private sealed class Activations(ModelConfig config, int tokens, Arena arena) : DispatchActivations(config, tokens, arena)
    {
        public Tensor RowsRD { get; } = arena.Allocate(DType.F32, tokens * config.NumExpertsPerTok, config.HiddenSize);
    }
}
