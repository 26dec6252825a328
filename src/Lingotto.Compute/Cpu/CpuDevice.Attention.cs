namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void RopeForward(Tensor qkvTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout) =>
        Turn(qkvTHC, positionsT, cosSinPR, shape, layout, 1f);

    /// <inheritdoc/>
    public override void RopeBackward(Tensor gradQkvTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout) =>
        Turn(gradQkvTHC, positionsT, cosSinPR, shape, layout, -1f);

    /// <inheritdoc/>
    public override void QkNormForward(
        Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTHC, Tensor rstdTH)
    {
        int tokens = TokensOf(xTHC, shape);
        (NormRows queries, NormRows keys) = NormHeads(tokens, shape);
        Copy(xTHC, yTHC);
        float* x = Floats(xTHC, xTHC.Length), y = Floats(yTHC, xTHC.Length), rstd = Floats(rstdTH, (long)tokens * queries.RstdStep);
        RmsNorm.Forward(_workers, queries, x, Floats(queryWeightC, shape.HeadDim), epsilon, y, rstd);
        RmsNorm.Forward(_workers, keys, x, Floats(keyWeightC, shape.HeadDim), epsilon, y, rstd + shape.NumHeads);
    }

    /// <inheritdoc/>
    public override void QkNormBackward(
        Tensor gradYTHC, Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTH,
        Tensor gradXTHC, Tensor gradQueryWeightC, Tensor gradKeyWeightC)
    {
        int tokens = TokensOf(xTHC, shape), channels = shape.HeadDim;
        (NormRows queries, NormRows keys) = NormHeads(tokens, shape);
        float* gradY = Floats(gradYTHC, xTHC.Length), x = Floats(xTHC, xTHC.Length), gradX = Floats(gradXTHC, xTHC.Length);
        float* rstd = Floats(rstdTH, (long)tokens * queries.RstdStep), scratch = SharedScratch(RmsNorm.ScratchLength(tokens, channels));
        if (gradX != gradY)
        {
            Copy(gradYTHC, gradXTHC);
        }

        RmsNorm.Backward(
            _workers, queries, gradY, x, Floats(queryWeightC, channels), rstd, gradX, Floats(gradQueryWeightC, channels), scratch);
        RmsNorm.Backward(
            _workers, keys, gradY, x, Floats(keyWeightC, channels), rstd + shape.NumHeads, gradX, Floats(gradKeyWeightC, channels), scratch);
    }

    /// <inheritdoc/>
    public override void AttentionForward(Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA)
    {
        int tokens = TokensOf(qkvTHC, shape);
        long scratchStep = Compute.AttentionForward.ScratchLength(shape);
        var kernel = new AttentionForward(
            Floats(qkvTHC, qkvTHC.Length), Integers(documentStartsT, tokens), shape, Floats(yTAC, OutputLength(tokens, shape)),
            Floats(logSumExpTA, (long)tokens * shape.NumHeads), tokens, WorkerScratch(scratchStep), scratchStep);
        _workers.For(AttentionTasks(tokens, shape), 1, kernel);
    }

    /// <inheritdoc/>
    public override void AttentionBackward(
        Tensor gradYTAC, Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA, Tensor gradQkvTHC)
    {
        int tokens = TokensOf(qkvTHC, shape);
        long scratchStep = Compute.AttentionBackward.ScratchLength(shape);
        var kernel = new AttentionBackward(
            Floats(gradYTAC, OutputLength(tokens, shape)), Floats(qkvTHC, qkvTHC.Length), Integers(documentStartsT, tokens), shape,
            Floats(yTAC, OutputLength(tokens, shape)), Floats(logSumExpTA, (long)tokens * shape.NumHeads),
            Floats(gradQkvTHC, qkvTHC.Length), tokens, WorkerScratch(scratchStep), scratchStep);
        _workers.For(AttentionTasks(tokens, shape), 1, kernel);
    }

    /// <inheritdoc/>
    public override void AttentionWithCache(Tensor qkvTHC, Tensor cacheP2GC, int firstPosition, AttentionShape shape, Tensor yTAC)
    {
        int tokens = TokensOf(qkvTHC, shape), width = 2 * shape.NumKeyValueHeads * shape.HeadDim;
        if (firstPosition < 0 || firstPosition + tokens > cacheP2GC[0])
        {
            throw new ArgumentOutOfRangeException(
                nameof(firstPosition), $"Positions {firstPosition} to {firstPosition + tokens - 1} do not fit a cache of {cacheP2GC[0]}.");
        }

        var kernel = new AttentionWithCache(
            Floats(qkvTHC, qkvTHC.Length), Floats(cacheP2GC, (long)cacheP2GC[0] * width), firstPosition, shape,
            Floats(yTAC, OutputLength(tokens, shape)), tokens);
        kernel.Append();
        _workers.For(kernel.Tasks, 1, kernel);
    }

    private static int TokensOf(Tensor qkv, AttentionShape shape) => checked((int)(qkv.Length / ((long)shape.FusedHeads * shape.HeadDim)));

    private static long OutputLength(int tokens, AttentionShape shape) => (long)tokens * shape.NumHeads * shape.HeadDim;

    private static int AttentionTasks(int tokens, AttentionShape shape) =>
        (tokens + shape.SequenceLength - 1) / shape.SequenceLength * shape.NumKeyValueHeads;

    private static (NormRows Queries, NormRows Keys) NormHeads(int tokens, AttentionShape shape)
    {
        int step = shape.FusedHeads * shape.HeadDim, normalised = shape.NumHeads + shape.NumKeyValueHeads;
        return (new NormRows(tokens, step, 0, shape.NumHeads, shape.HeadDim, normalised),
            new NormRows(tokens, step, shape.NumHeads, shape.NumKeyValueHeads, shape.HeadDim, normalised));
    }

    private void Turn(Tensor qkv, Tensor positions, Tensor cosSin, AttentionShape shape, RotaryLayout layout, float direction)
    {
        int tokens = TokensOf(qkv, shape);
        Rope.Run(
            _workers, Floats(qkv, qkv.Length), Integers(positions, tokens), Floats(cosSin, cosSin.Length), shape, cosSin.Columns, layout,
            direction, tokens);
    }
}
