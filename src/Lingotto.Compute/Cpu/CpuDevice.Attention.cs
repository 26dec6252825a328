namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void RopeForward(
        Tensor xTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout, Tensor yTQC) =>
        Rotate(xTQC, positionsT, cosSinPW, shape, layout, 1f, yTQC);

    /// <inheritdoc/>
    public override void RopeBackward(Tensor gradQkvTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout) =>
        Rotate(gradQkvTQC, positionsT, cosSinPW, shape, layout, -1f, gradQkvTQC);

    /// <inheritdoc/>
    public override void QkNormForward(
        Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTQC, Tensor rstdTJ)
    {
        int tokens = TokensOf(xTQC, shape);
        (NormRows queries, NormRows keys) = NormHeads(tokens, shape);
        Copy(xTQC, yTQC);
        float* x = Floats(xTQC, xTQC.Length), y = Floats(yTQC, xTQC.Length), rstd = Floats(rstdTJ, (long)tokens * queries.RstdStep);
        RmsNorm.Forward<F32Element>(_workers, queries, x, Floats(queryWeightC, shape.HeadDim), epsilon, y, rstd);
        RmsNorm.Forward<F32Element>(_workers, keys, x, Floats(keyWeightC, shape.HeadDim), epsilon, y, rstd + shape.NumHeads);
    }

    /// <inheritdoc/>
    public override void QkNormBackward(
        Tensor gradYTQC, Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTJ,
        Tensor gradXTQC, Tensor gradQueryWeightC, Tensor gradKeyWeightC)
    {
        int tokens = TokensOf(xTQC, shape), channels = shape.HeadDim;
        (NormRows queries, NormRows keys) = NormHeads(tokens, shape);
        float* gradY = Floats(gradYTQC, xTQC.Length), x = Floats(xTQC, xTQC.Length), gradX = Floats(gradXTQC, xTQC.Length);
        float* rstd = Floats(rstdTJ, (long)tokens * queries.RstdStep), scratch = SharedScratch(RmsNorm.ScratchLength(tokens, channels));
        if (gradX != gradY)
        {
            Copy(gradYTQC, gradXTQC);
        }

        RmsNorm.Backward(
            _workers, queries, gradY, x, Floats(queryWeightC, channels), rstd, gradX, Floats(gradQueryWeightC, channels), scratch);
        RmsNorm.Backward(
            _workers, keys, gradY, x, Floats(keyWeightC, channels), rstd + shape.NumHeads, gradX, Floats(gradKeyWeightC, channels),
            scratch);
    }

    /// <inheritdoc/>
    public override void AttentionForward(Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH)
    {
        int tokens = TokensOf(qkvTQC, shape), tasks = AttentionTasks(tokens, shape);
        long outputs = OutputLength(tokens, shape);
        int* starts = Integers(documentStartsT, tokens);
        float* logSumExp = Floats(logSumExpTH, (long)tokens * shape.NumHeads);
        if (!IsBf16(qkvTQC, qkvTQC.Length, out void* qkv))
        {
            long step = Compute.AttentionForward.ScratchLength(shape);
            _workers.For(tasks, 1, new AttentionForward(
                (float*)qkv, starts, shape, Floats(yTHC, outputs), logSumExp, tokens, WorkerScratch(step), step));
            return;
        }

        ushort* y = Bf16s(yTHC, outputs);
        if (HasBf16Products && shape.HeadDim % 2 == 0)
        {
            if (_tiles == TileChoice.Emulated)
            {
                Bf16Forward<EmulatedTile>((ushort*)qkv, starts, shape, y, logSumExp, tokens);
            }
            else
            {
                Bf16Forward<AssembledTile>((ushort*)qkv, starts, shape, y, logSumExp, tokens);
            }

            return;
        }

        float* wide = SharedScratch(qkvTQC.Length + outputs), wideY = wide + qkvTQC.Length;
        long scratch = Compute.AttentionForward.ScratchLength(shape);
        Elementwise.Convert<Bf16Element, F32Element>(_workers, qkv, wide, qkvTQC.Length);
        _workers.For(tasks, 1, new AttentionForward(wide, starts, shape, wideY, logSumExp, tokens, WorkerScratch(scratch), scratch));
        Elementwise.Convert<F32Element, Bf16Element>(_workers, wideY, y, outputs);
    }

    /// <inheritdoc/>
    public override void AttentionBackward(
        Tensor gradYTHC, Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH, Tensor gradQkvTQC)
    {
        int tokens = TokensOf(qkvTQC, shape), tasks = AttentionTasks(tokens, shape);
        long outputs = OutputLength(tokens, shape);
        int* starts = Integers(documentStartsT, tokens);
        float* gradY = Floats(gradYTHC, outputs), gradQkv = Floats(gradQkvTQC, qkvTQC.Length);
        float* logSumExp = Floats(logSumExpTH, (long)tokens * shape.NumHeads);
        if (!IsBf16(qkvTQC, qkvTQC.Length, out void* qkv))
        {
            long step = Compute.AttentionBackward.ScratchLength(shape);
            _workers.For(tasks, 1, new AttentionBackward(
                gradY, (float*)qkv, starts, shape, Floats(yTHC, outputs), logSumExp, gradQkv, tokens, WorkerScratch(step), step));
            return;
        }

        ushort* y = Bf16s(yTHC, outputs);
        if (HasBf16Products && shape.HeadDim % 2 == 0)
        {
            if (_tiles == TileChoice.Emulated)
            {
                Bf16Backward<EmulatedTile>(gradY, (ushort*)qkv, starts, shape, y, logSumExp, gradQkv, tokens);
            }
            else
            {
                Bf16Backward<AssembledTile>(gradY, (ushort*)qkv, starts, shape, y, logSumExp, gradQkv, tokens);
            }

            return;
        }

        float* wide = SharedScratch(qkvTQC.Length + outputs), wideY = wide + qkvTQC.Length;
        long scratch = Compute.AttentionBackward.ScratchLength(shape);
        Elementwise.Convert<Bf16Element, F32Element>(_workers, qkv, wide, qkvTQC.Length);
        Elementwise.Convert<Bf16Element, F32Element>(_workers, y, wideY, outputs);
        _workers.For(tasks, 1, new AttentionBackward(
            gradY, wide, starts, shape, wideY, logSumExp, gradQkv, tokens, WorkerScratch(scratch), scratch));
    }

    /// <inheritdoc/>
    public override void AttentionWithCache(Tensor qkvTQC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTHC)
    {
        int tokens = TokensOf(qkvTQC, shape), positions = cache2GPC[1];
        if (firstPosition < 0 || firstPosition + tokens > positions)
        {
            throw new ArgumentOutOfRangeException(
                nameof(firstPosition), $"Positions {firstPosition} to {firstPosition + tokens - 1} do not fit a cache of {positions}.");
        }

        var kernel = new AttentionWithCache(
            Floats(qkvTQC, qkvTQC.Length), Floats(cache2GPC, 2L * shape.NumKeyValueHeads * positions * shape.HeadDim), positions,
            firstPosition, shape,
            Floats(yTHC, OutputLength(tokens, shape)), tokens);
        kernel.Append();
        _workers.For(kernel.Tasks, 1, kernel);
    }

    private void Bf16Forward<K>(ushort* qkv, int* starts, AttentionShape shape, ushort* y, float* logSumExp, int tokens)
        where K : struct, IWordKernel
    {
        long step = Bf16AttentionForward<K>.ScratchLength(shape);
        _workers.For(AttentionTasks(tokens, shape), 1, new Bf16AttentionForward<K>(
            qkv, starts, shape, y, logSumExp, tokens, (uint*)WorkerScratch(step), step));
    }

    private void Bf16Backward<K>(
        float* gradY, ushort* qkv, int* starts, AttentionShape shape, ushort* y, float* logSumExp, float* gradQkv, int tokens)
        where K : struct, IWordKernel
    {
        long step = Bf16AttentionBackward<K>.ScratchLength(shape);
        _workers.For(AttentionTasks(tokens, shape), 1, new Bf16AttentionBackward<K>(
            gradY, qkv, starts, shape, y, logSumExp, gradQkv, tokens, (uint*)WorkerScratch(step), step));
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

    private void Rotate(
        Tensor xTQC, Tensor positions, Tensor cosSin, AttentionShape shape, RotaryLayout layout, float direction, Tensor yTQC)
    {
        int tokens = TokensOf(xTQC, shape), rotated = cosSin.Columns;
        float* x = Floats(xTQC, xTQC.Length), table = Floats(cosSin, cosSin.Length);
        int* at = Integers(positions, tokens);
        if (IsBf16(yTQC, xTQC.Length, out void* y))
        {
            Rope.Run<Bf16Element>(_workers, x, at, table, shape, rotated, layout, direction, tokens, y);
        }
        else
        {
            Rope.Run<F32Element>(_workers, x, at, table, shape, rotated, layout, direction, tokens, y);
        }
    }
}
