using System.Runtime.CompilerServices;
using Lingotto.Compute;

namespace Lingotto.Tests;

/// <summary>
/// A device in front of another. Its memory is not addressable; <see cref="Invoke"/> says when an operation reaches the
/// inner device and <see cref="Map(Tensor)"/> which tensors it reaches it with.
/// </summary>
internal abstract class ForwardingDevice(Device inner) : Device
{
    private readonly List<Arena> _prepared = [];

    public override DeviceDescription Description => Inner.Description with { Name = $"{GetType().Name} of {Inner.Name}" };

    public override bool HasBf16Products => Inner.HasBf16Products;

    public override FastestPrecision FastestPrecision => Inner.FastestPrecision;

    public override long AvailableBytes => Inner.AvailableBytes;

    public override long ScratchBytes => Inner.ScratchBytes;

    /// <summary>Operations called so far.</summary>
    public HashSet<string> Called { get; } = [];

    protected Device Inner { get; } = inner;

    /// <summary>Bytes of the inner block for each byte of an outer one.</summary>
    protected virtual int Widening => 1;

    public override MemoryBlock AllocateBlock(long bytes) => new ForwardedBlock(bytes, Inner.AllocateBlock(bytes * Widening));

    /// <summary>Panels lie in an arena of the inner device; the outer one is asked for the same bytes, to keep its plan true.</summary>
    public override PreparedWeight Prepare(Tensor weightENK, Arena arena, bool trained, DType precision = DType.F32)
    {
        using Arena plan = Arena.Measure();
        PreparedWeight measured = Inner.Prepare(Map(weightENK), plan, trained, precision);
        if (plan.Used > 0)
        {
            arena.Allocate(DType.F32, (int)(plan.Used / sizeof(float)));
        }

        if (arena.IsMeasuring)
        {
            return new ForwardedWeight(weightENK, measured);
        }

        _prepared.Add(new Arena(Inner, plan.Used));
        return new ForwardedWeight(weightENK, Inner.Prepare(Map(weightENK), _prepared[^1], trained, precision));
    }

    public override void Refresh(PreparedWeight weight) => Call(() => Inner.Refresh(Map(weight)));

    public override void Fill(Tensor x, float value) => Call(() => Inner.Fill(Map(x), value));

    public override void Copy(Tensor x, Tensor y) => Call(() => Inner.Copy(Map(x), Map(y)));

    public override void Add(Tensor x, Tensor y) => Call(() => Inner.Add(Map(x), Map(y)));

    public override void AddCounts(Tensor countsE, Tensor totalE, Tensor asFloatsE) =>
        Call(() => Inner.AddCounts(Map(countsE), Map(totalE), Map(asFloatsE)));

    public override void ScaleColumns(Tensor xTD, Tensor scaleD, Tensor yTD) => Call(() => Inner.ScaleColumns(Map(xTD), Map(scaleD), Map(yTD)));

    public override void EmbeddingForward(Tensor idsT, Tensor tableVD, Tensor yTD) =>
        Call(() => Inner.EmbeddingForward(Map(idsT), Map(tableVD), Map(yTD)));

    public override void EmbeddingBackward(Tensor idsT, Tensor gradYTD, Tensor gradTableVD) =>
        Call(() => Inner.EmbeddingBackward(Map(idsT), Map(gradYTD), Map(gradTableVD)));

    public override void RmsNormForward(Tensor xTD, Tensor weightD, float epsilon, Tensor yTD, Tensor rstdT) =>
        Call(() => Inner.RmsNormForward(Map(xTD), Map(weightD), epsilon, Map(yTD), Map(rstdT)));

    public override void RmsNormBackward(Tensor gradYTD, Tensor xTD, Tensor weightD, Tensor rstdT, Tensor gradXTD, Tensor gradWeightD) => Call(
        () => Inner.RmsNormBackward(Map(gradYTD), Map(xTD), Map(weightD), Map(rstdT), Map(gradXTD), Map(gradWeightD)));

    public override void SwiGluForward(Tensor gateUpR2F, Tensor yRF) => Call(() => Inner.SwiGluForward(Map(gateUpR2F), Map(yRF)));

    public override void SwiGluBackward(Tensor gradYRF, Tensor gateUpR2F, Tensor gradGateUpR2F) =>
        Call(() => Inner.SwiGluBackward(Map(gradYRF), Map(gateUpR2F), Map(gradGateUpR2F)));

    public override void RopeForward(
        Tensor xTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, Compute.RotaryLayout layout, Tensor yTHC) => Call(
        () => Inner.RopeForward(Map(xTHC), Map(positionsT), Map(cosSinPR), shape, layout, Map(yTHC)));

    public override void RopeBackward(Tensor gradQkvTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, Compute.RotaryLayout layout) =>
        Call(() => Inner.RopeBackward(Map(gradQkvTHC), Map(positionsT), Map(cosSinPR), shape, layout));

    public override void QkNormForward(
        Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTHC, Tensor rstdTH) => Call(
        () => Inner.QkNormForward(Map(xTHC), Map(queryWeightC), Map(keyWeightC), epsilon, shape, Map(yTHC), Map(rstdTH)));

    public override void QkNormBackward(
        Tensor gradYTHC, Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTH,
        Tensor gradXTHC, Tensor gradQueryWeightC, Tensor gradKeyWeightC) => Call(
        () => Inner.QkNormBackward(
            Map(gradYTHC), Map(xTHC), Map(queryWeightC), Map(keyWeightC), shape, Map(rstdTH), Map(gradXTHC), Map(gradQueryWeightC),
            Map(gradKeyWeightC)));

    public override void AttentionForward(Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA) =>
        Call(() => Inner.AttentionForward(Map(qkvTHC), Map(documentStartsT), shape, Map(yTAC), Map(logSumExpTA)));

    public override void AttentionBackward(
        Tensor gradYTAC, Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA, Tensor gradQkvTHC) => Call(
        () => Inner.AttentionBackward(
            Map(gradYTAC), Map(qkvTHC), Map(documentStartsT), shape, Map(yTAC), Map(logSumExpTA), Map(gradQkvTHC)));

    public override void AttentionWithCache(Tensor qkvTHC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTAC) =>
        Call(() => Inner.AttentionWithCache(Map(qkvTHC), Map(cache2GPC), firstPosition, shape, Map(yTAC)));

    public override void MatMulForward(Tensor xTK, PreparedWeight wNK, Tensor yTN, bool accumulate = false) =>
        Call(() => Inner.MatMulForward(Map(xTK), Map(wNK), Map(yTN), accumulate));

    public override void MatMulBackwardInput(Tensor gradYTN, PreparedWeight wNK, Tensor gradXTK, bool accumulate = false) =>
        Call(() => Inner.MatMulBackwardInput(Map(gradYTN), Map(wNK), Map(gradXTK), accumulate));

    public override void MatMulBackwardWeight(Tensor gradYTN, Tensor xTK, PreparedWeight wNK, Tensor gradWNK) =>
        Call(() => Inner.MatMulBackwardWeight(Map(gradYTN), Map(xTK), Map(wNK), Map(gradWNK)));

    public override void GroupedMatMulForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor yRN) =>
        Call(() => Inner.GroupedMatMulForward(Map(xTK), Map(rows), Map(wENK), Map(yRN)));

    public override void GroupedMatMulBackwardInput(Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gradXRK) =>
        Call(() => Inner.GroupedMatMulBackwardInput(Map(gradYRN), Map(rows), Map(wENK), Map(gradXRK)));

    public override void MatMulSwiGluForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gateUpR2F, Tensor yRF) =>
        Call(() => Inner.MatMulSwiGluForward(Map(xTK), Map(rows), Map(wENK), Map(gateUpR2F), Map(yRF)));

    public override void MatMulSwiGluBackward(
        Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F) =>
        Call(() => Inner.MatMulSwiGluBackward(Map(gradYRN), Map(rows), Map(wENK), Map(gateUpR2F), Map(gradHiddenRF), Map(gradGateUpR2F)));

    public override void GroupedMatMulBackwardWeight(
        Tensor gradYRN, Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gradWENK) =>
        Call(() => Inner.GroupedMatMulBackwardWeight(Map(gradYRN), Map(xTK), Map(rows), Map(wENK), Map(gradWENK)));

    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTS, Tensor topKWeightsTS) => Call(
        () => Inner.RouterForward(Map(logitsTE), Map(biasE), shape, Map(scoresTE), Map(topKExpertIdsTS), Map(topKWeightsTS)));

    public override void RouterBackward(
        Tensor gradWeightsTS, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTS, Tensor topKWeightsTS, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE) => Call(
        () => Inner.RouterBackward(
            Map(gradWeightsTS), Map(logitsTE), Map(scoresTE), Map(topKExpertIdsTS), Map(topKWeightsTS), Map(tokensPerExpertE), shape,
            balanceCoefficient, zCoefficient, Map(gradLogitsTE)));

    public override void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2) =>
        Call(() => Inner.RouterLosses(Map(logitsTE), Map(scoresTE), Map(tokensPerExpertE), shape, Map(losses2)));

    public override void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken) => Call(
        () => Inner.RoutingWarmup(Map(logitsTE), Map(runningMeanSquare2), alpha, rate, random, stream, firstToken));

    public override void DispatchPlan(
        Tensor topKExpertIdsTS, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTS) => Call(
        () => Inner.DispatchPlan(Map(topKExpertIdsTS), Map(tokensPerExpertE), Map(offsetsE1), Map(tokenOfRowR), Map(rowOfChoiceTS)));

    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTS, Tensor gradXTD) =>
        Call(() => Inner.DispatchBackward(Map(gradRowsRD), Map(rowOfChoiceTS), Map(gradXTD)));

    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTS, Tensor weightsTS, Tensor yTD) =>
        Call(() => Inner.CombineForward(Map(rowsRD), Map(rowOfChoiceTS), Map(weightsTS), Map(yTD)));

    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTS, Tensor weightsTS, Tensor gradRowsRD, Tensor gradWeightsTS) => Call(
        () => Inner.CombineBackward(
            Map(gradYTD), Map(rowsRD), Map(rowOfChoiceTS), Map(weightsTS), Map(gradRowsRD), Map(gradWeightsTS)));

    public override void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE) =>
        Call(() => Inner.ExpertBiasUpdate(Map(tokensPerExpertE), rate, Map(biasE)));

    public override void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD) => Call(() => Inner.ColumnInverseNorm(Map(wVD), Map(inverseNormD)));

    public override void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD,
        Tensor weightsT = default, Tensor logProbsT = default) => Call(
        () => Inner.LinearCrossEntropy(Map(hTD), Map(wVD), Map(targetsT), gradScale, Map(lossT), Map(gradHTD), Map(gradWVD), Map(weightsT), Map(logProbsT)));

    public override void Sum(Tensor x, Tensor result1) => Call(() => Inner.Sum(Map(x), Map(result1)));

    public override void SumOfSquares(Tensor x, Tensor result1) => Call(() => Inner.SumOfSquares(Map(x), Map(result1)));

    public override void AdamWUpdate(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep step) =>
        Call(() => Inner.AdamWUpdate(Map(parameters), Map(gradients), Map(firstMoments), Map(secondMoments), step));

    /// <summary>Runs an operation of the inner device, now or later.</summary>
    protected abstract void Invoke(Action operation);

    protected virtual Tensor Map(Tensor tensor) => tensor.IsAbsent
        ? default
        : new Tensor((tensor.Block as ForwardedBlock)?.Inner, tensor.ByteOffset * Widening, tensor.DType, ShapeOf(tensor));

    protected static int[] ShapeOf(Tensor tensor) => [.. Enumerable.Range(0, tensor.Rank).Select(dim => tensor[dim])];

    protected override void Dispose(bool disposing)
    {
        _prepared.ForEach(arena => arena.Dispose());
        base.Dispose(disposing);
    }

    private static PreparedWeight Map(PreparedWeight weight) => ((ForwardedWeight)weight).Inner;

    private RoutedRows Map(RoutedRows rows) => new(Map(rows.TokenOfRowR), Map(rows.OffsetsE1));

    private void Call(Action operation, [CallerMemberName] string name = "")
    {
        Called.Add(name);
        Invoke(operation);
    }

    /// <summary>Memory behind a door that only the device opens.</summary>
    protected sealed class ForwardedBlock(long bytes, MemoryBlock inner) : MemoryBlock(bytes)
    {
        public MemoryBlock Inner { get; } = inner;

        protected override void Dispose(bool disposing) => Inner.Dispose();
    }

    private sealed class ForwardedWeight(Tensor weight, PreparedWeight inner) : PreparedWeight(weight, inner.Precision)
    {
        public PreparedWeight Inner { get; } = inner;
    }
}
