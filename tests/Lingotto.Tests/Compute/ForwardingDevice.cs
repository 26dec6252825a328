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
    public override PreparedWeight Prepare(Tensor weightEOI, Arena arena, bool trained, DType precision = DType.F32)
    {
        using Arena plan = Arena.Measure();
        PreparedWeight measured = Inner.Prepare(Map(weightEOI), plan, trained, precision);
        if (plan.Used > 0)
        {
            arena.Allocate(DType.F32, (int)(plan.Used / sizeof(float)));
        }

        if (arena.IsMeasuring)
        {
            return new ForwardedWeight(weightEOI, measured);
        }

        _prepared.Add(new Arena(Inner, plan.Used));
        return new ForwardedWeight(weightEOI, Inner.Prepare(Map(weightEOI), _prepared[^1], trained, precision));
    }

    public override void Refresh(PreparedWeight weight) => Call(() => Inner.Refresh(Map(weight)));

    public override void Fill(Tensor x, float value) => Call(() => Inner.Fill(Map(x), value));

    public override void Copy(Tensor x, Tensor y) => Call(() => Inner.Copy(Map(x), Map(y)));

    public override void Add(Tensor x, Tensor y) => Call(() => Inner.Add(Map(x), Map(y)));

    public override void AddCounts(Tensor countsE, Tensor totalE, Tensor asFloatsE) =>
        Call(() => Inner.AddCounts(Map(countsE), Map(totalE), Map(asFloatsE)));

    public override void ScaleColumns(Tensor xTD, Tensor scaleD, Tensor yTD) =>
        Call(() => Inner.ScaleColumns(Map(xTD), Map(scaleD), Map(yTD)));

    public override void EmbeddingForward(Tensor idsT, Tensor tableVD, Tensor yTD) =>
        Call(() => Inner.EmbeddingForward(Map(idsT), Map(tableVD), Map(yTD)));

    public override void EmbeddingBackward(Tensor idsT, Tensor gradYTD, Tensor gradTableVD) =>
        Call(() => Inner.EmbeddingBackward(Map(idsT), Map(gradYTD), Map(gradTableVD)));

    public override void RmsNormForward(Tensor xTD, Tensor weightD, float epsilon, Tensor yTD, Tensor rstdT) =>
        Call(() => Inner.RmsNormForward(Map(xTD), Map(weightD), epsilon, Map(yTD), Map(rstdT)));

    public override void RmsNormBackward(Tensor gradYTD, Tensor xTD, Tensor weightD, Tensor rstdT, Tensor gradXTD, Tensor gradWeightD) =>
        Call(
        () => Inner.RmsNormBackward(Map(gradYTD), Map(xTD), Map(weightD), Map(rstdT), Map(gradXTD), Map(gradWeightD)));

    public override void SwiGluForward(Tensor gateUpR2F, Tensor yRF) => Call(() => Inner.SwiGluForward(Map(gateUpR2F), Map(yRF)));

    public override void SwiGluBackward(Tensor gradYRF, Tensor gateUpR2F, Tensor gradGateUpR2F) =>
        Call(() => Inner.SwiGluBackward(Map(gradYRF), Map(gateUpR2F), Map(gradGateUpR2F)));

    public override void RopeForward(
        Tensor xTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, Compute.RotaryLayout layout, Tensor yTQC) => Call(
        () => Inner.RopeForward(Map(xTQC), Map(positionsT), Map(cosSinPW), shape, layout, Map(yTQC)));

    public override void RopeBackward(
        Tensor gradQkvTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, Compute.RotaryLayout layout) =>
        Call(() => Inner.RopeBackward(Map(gradQkvTQC), Map(positionsT), Map(cosSinPW), shape, layout));

    public override void QkNormForward(
        Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTQC, Tensor rstdTJ) => Call(
        () => Inner.QkNormForward(Map(xTQC), Map(queryWeightC), Map(keyWeightC), epsilon, shape, Map(yTQC), Map(rstdTJ)));

    public override void QkNormBackward(
        Tensor gradYTQC, Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTJ,
        Tensor gradXTQC, Tensor gradQueryWeightC, Tensor gradKeyWeightC) => Call(
        () => Inner.QkNormBackward(
            Map(gradYTQC), Map(xTQC), Map(queryWeightC), Map(keyWeightC), shape, Map(rstdTJ), Map(gradXTQC), Map(gradQueryWeightC),
            Map(gradKeyWeightC)));

    public override void AttentionForward(Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH) =>
        Call(() => Inner.AttentionForward(Map(qkvTQC), Map(documentStartsT), shape, Map(yTHC), Map(logSumExpTH)));

    public override void AttentionBackward(
        Tensor gradYTHC, Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH, Tensor gradQkvTQC) =>
        Call(
        () => Inner.AttentionBackward(
            Map(gradYTHC), Map(qkvTQC), Map(documentStartsT), shape, Map(yTHC), Map(logSumExpTH), Map(gradQkvTQC)));

    public override void AttentionWithCache(Tensor qkvTQC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTHC) =>
        Call(() => Inner.AttentionWithCache(Map(qkvTQC), Map(cache2GPC), firstPosition, shape, Map(yTHC)));

    public override void MatMulForward(Tensor xTI, PreparedWeight wOI, Tensor yTO, bool accumulate = false) =>
        Call(() => Inner.MatMulForward(Map(xTI), Map(wOI), Map(yTO), accumulate));

    public override void MatMulBackwardInput(Tensor gradYTO, PreparedWeight wOI, Tensor gradXTI, bool accumulate = false) =>
        Call(() => Inner.MatMulBackwardInput(Map(gradYTO), Map(wOI), Map(gradXTI), accumulate));

    public override void MatMulBackwardWeight(Tensor gradYTO, Tensor xTI, PreparedWeight wOI, Tensor gradWOI) =>
        Call(() => Inner.MatMulBackwardWeight(Map(gradYTO), Map(xTI), Map(wOI), Map(gradWOI)));

    public override void GroupedMatMulForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor yRO) =>
        Call(() => Inner.GroupedMatMulForward(Map(xTI), Map(rows), Map(wEOI), Map(yRO)));

    public override void GroupedMatMulBackwardInput(Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gradXRI) =>
        Call(() => Inner.GroupedMatMulBackwardInput(Map(gradYRO), Map(rows), Map(wEOI), Map(gradXRI)));

    public override void MatMulSwiGluForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor yRF) =>
        Call(() => Inner.MatMulSwiGluForward(Map(xTI), Map(rows), Map(wEOI), Map(gateUpR2F), Map(yRF)));

    public override void MatMulSwiGluBackward(
        Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F) =>
        Call(() => Inner.MatMulSwiGluBackward(Map(gradYRO), Map(rows), Map(wEOI), Map(gateUpR2F), Map(gradHiddenRF), Map(gradGateUpR2F)));

    public override void GroupedMatMulBackwardWeight(
        Tensor gradYRO, Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gradWEOI) =>
        Call(() => Inner.GroupedMatMulBackwardWeight(Map(gradYRO), Map(xTI), Map(rows), Map(wEOI), Map(gradWEOI)));

    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK) => Call(
        () => Inner.RouterForward(Map(logitsTE), Map(biasE), shape, Map(scoresTE), Map(topKExpertIdsTK), Map(topKWeightsTK)));

    public override void RouterBackward(
        Tensor gradWeightsTK, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE) => Call(
        () => Inner.RouterBackward(
            Map(gradWeightsTK), Map(logitsTE), Map(scoresTE), Map(topKExpertIdsTK), Map(topKWeightsTK), Map(tokensPerExpertE), shape,
            balanceCoefficient, zCoefficient, Map(gradLogitsTE)));

    public override void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2) =>
        Call(() => Inner.RouterLosses(Map(logitsTE), Map(scoresTE), Map(tokensPerExpertE), shape, Map(losses2)));

    public override void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken) => Call(
        () => Inner.RoutingWarmup(Map(logitsTE), Map(runningMeanSquare2), alpha, rate, random, stream, firstToken));

    public override void DispatchPlan(
        Tensor topKExpertIdsTK, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTK) => Call(
        () => Inner.DispatchPlan(Map(topKExpertIdsTK), Map(tokensPerExpertE), Map(offsetsE1), Map(tokenOfRowR), Map(rowOfChoiceTK)));

    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTK, Tensor gradXTD) =>
        Call(() => Inner.DispatchBackward(Map(gradRowsRD), Map(rowOfChoiceTK), Map(gradXTD)));

    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor yTD) =>
        Call(() => Inner.CombineForward(Map(rowsRD), Map(rowOfChoiceTK), Map(weightsTK), Map(yTD)));

    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor gradRowsRD, Tensor gradWeightsTK) => Call(
        () => Inner.CombineBackward(
            Map(gradYTD), Map(rowsRD), Map(rowOfChoiceTK), Map(weightsTK), Map(gradRowsRD), Map(gradWeightsTK)));

    public override void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE) =>
        Call(() => Inner.ExpertBiasUpdate(Map(tokensPerExpertE), rate, Map(biasE)));

    public override void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD) =>
        Call(() => Inner.ColumnInverseNorm(Map(wVD), Map(inverseNormD)));

    public override void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD,
        Tensor weightsT = default, Tensor logProbsT = default) => Call(
        () => Inner.LinearCrossEntropy(
            Map(hTD), Map(wVD), Map(targetsT), gradScale, Map(lossT), Map(gradHTD), Map(gradWVD), Map(weightsT), Map(logProbsT)));

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
