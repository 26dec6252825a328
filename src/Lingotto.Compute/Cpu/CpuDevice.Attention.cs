namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void RopeForward(Tensor xTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout, Tensor yTHC) =>
        Turn(xTHC, positionsT, cosSinPR, shape, layout, 1f, yTHC);

    /// <inheritdoc/>
    public override void RopeBackward(Tensor gradQkvTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout) =>
        Turn(gradQkvTHC, positionsT, cosSinPR, shape, layout, -1f, gradQkvTHC);

    /// <inheritdoc/>
    public override void QkNormForward(
        Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTHC, Tensor rstdTH)
    {
        int tokens = TokensOf(xTHC, shape);
        (NormRows queries, NormRows keys) = NormHeads(tokens, shape);
        Copy(xTHC, yTHC);
        float* x = Floats(xTHC, xTHC.Length), y = Floats(yTHC, xTHC.Length), rstd = Floats(rstdTH, (long)tokens * queries.RstdStep);
        RmsNorm.Forward<F32Element>(_workers, queries, x, Floats(queryWeightC, shape.HeadDim), epsilon, y, rstd);
        RmsNorm.Forward<F32Element>(_workers, keys, x, Floats(keyWeightC, shape.HeadDim), epsilon, y, rstd + shape.NumHeads);
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
        int tokens = TokensOf(qkvTHC, shape), tasks = AttentionTasks(tokens, shape);
        long outputs = OutputLength(tokens, shape);
        int* starts = Integers(documentStartsT, tokens);
        float* logSumExp = Floats(logSumExpTA, (long)tokens * shape.NumHeads);
        if (!IsBf16(qkvTHC, qkvTHC.Length, out void* qkv))
        {
            long step = Compute.AttentionForward.ScratchLength(shape);
            _workers.For(tasks, 1, new AttentionForward(
                (float*)qkv, starts, shape, Floats(yTAC, outputs), logSumExp, tokens, WorkerScratch(step), step));
            return;
        }

        ushort* y = Bf16s(yTAC, outputs);
        if (HasBf16Products && shape.HeadDim % 2 == 0)
        {
            long step = Bf16AttentionForward.ScratchLength(shape);
            _workers.For(tasks, 1, new Bf16AttentionForward(
                (ushort*)qkv, starts, shape, y, logSumExp, tokens, (uint*)WorkerScratch(step), step));
            return;
        }

        float* wide = SharedScratch(qkvTHC.Length + outputs), wideY = wide + qkvTHC.Length;
        long scratch = Compute.AttentionForward.ScratchLength(shape);
        Elementwise.Convert<Bf16Element, F32Element>(_workers, qkv, wide, qkvTHC.Length);
        _workers.For(tasks, 1, new AttentionForward(wide, starts, shape, wideY, logSumExp, tokens, WorkerScratch(scratch), scratch));
        Elementwise.Convert<F32Element, Bf16Element>(_workers, wideY, y, outputs);
    }

    /// <inheritdoc/>
    public override void AttentionBackward(
        Tensor gradYTAC, Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA, Tensor gradQkvTHC)
    {
        int tokens = TokensOf(qkvTHC, shape), tasks = AttentionTasks(tokens, shape);
        long outputs = OutputLength(tokens, shape);
        int* starts = Integers(documentStartsT, tokens);
        float* gradY = Floats(gradYTAC, outputs), gradQkv = Floats(gradQkvTHC, qkvTHC.Length);
        float* logSumExp = Floats(logSumExpTA, (long)tokens * shape.NumHeads);
        if (!IsBf16(qkvTHC, qkvTHC.Length, out void* qkv))
        {
            long step = Compute.AttentionBackward.ScratchLength(shape);
            _workers.For(tasks, 1, new AttentionBackward(
                gradY, (float*)qkv, starts, shape, Floats(yTAC, outputs), logSumExp, gradQkv, tokens, WorkerScratch(step), step));
            return;
        }

        ushort* y = Bf16s(yTAC, outputs);
        if (HasBf16Products && shape.HeadDim % 2 == 0)
        {
            long step = Bf16AttentionBackward.ScratchLength(shape);
            _workers.For(tasks, 1, new Bf16AttentionBackward(
                gradY, (ushort*)qkv, starts, shape, y, logSumExp, gradQkv, tokens, (uint*)WorkerScratch(step), step));
            return;
        }

        float* wide = SharedScratch(qkvTHC.Length + outputs), wideY = wide + qkvTHC.Length;
        long scratch = Compute.AttentionBackward.ScratchLength(shape);
        Elementwise.Convert<Bf16Element, F32Element>(_workers, qkv, wide, qkvTHC.Length);
        Elementwise.Convert<Bf16Element, F32Element>(_workers, y, wideY, outputs);
        _workers.For(tasks, 1, new AttentionBackward(
            gradY, wide, starts, shape, wideY, logSumExp, gradQkv, tokens, WorkerScratch(scratch), scratch));
    }

    /// <inheritdoc/>
    public override void AttentionWithCache(Tensor qkvTHC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTAC)
    {
        int tokens = TokensOf(qkvTHC, shape), positions = cache2GPC[1];
        if (firstPosition < 0 || firstPosition + tokens > positions)
        {
            throw new ArgumentOutOfRangeException(
                nameof(firstPosition), $"Positions {firstPosition} to {firstPosition + tokens - 1} do not fit a cache of {positions}.");
        }

        var kernel = new AttentionWithCache(
            Floats(qkvTHC, qkvTHC.Length), Floats(cache2GPC, 2L * shape.NumKeyValueHeads * positions * shape.HeadDim), positions, firstPosition, shape,
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

    private void Turn(
        Tensor xTHC, Tensor positions, Tensor cosSin, AttentionShape shape, RotaryLayout layout, float direction, Tensor yTHC)
    {
        int tokens = TokensOf(xTHC, shape), rotated = cosSin.Columns;
        float* x = Floats(xTHC, xTHC.Length), table = Floats(cosSin, cosSin.Length);
        int* at = Integers(positions, tokens);
        if (IsBf16(yTHC, xTHC.Length, out void* y))
        {
            Rope.Run<Bf16Element>(_workers, x, at, table, shape, rotated, layout, direction, tokens, y);
        }
        else
        {
            Rope.Run<F32Element>(_workers, x, at, table, shape, rotated, layout, direction, tokens, y);
        }
    }
}
