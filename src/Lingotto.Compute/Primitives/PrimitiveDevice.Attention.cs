namespace Lingotto.Compute;

public abstract partial class PrimitiveDevice
{
    /// <inheritdoc/>
    public override void RopeForward(
        Tensor xTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout, Tensor yTQC) =>
        Rotate(xTQC, positionsT, cosSinPW, shape, layout, 1, yTQC);

    /// <inheritdoc/>
    public override void RopeBackward(Tensor gradQkvTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout) =>
        Rotate(gradQkvTQC, positionsT, cosSinPW, shape, layout, -1, gradQkvTQC);

    /// <inheritdoc/>
    public override void QkNormForward(
        Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTQC, Tensor rstdTJ)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = TokensOf(xTQC, shape), channels = shape.HeadDim;
        Tensor x = Fused(xTQC, shape), y = Fused(yTQC, shape), head = scratch.F32(tokens, channels), rstd = scratch.F32(tokens);
        Copy(x, y);
        for (int h = 0; h < shape.NumHeads + shape.NumKeyValueHeads; h++)
        {
            CopyColumns(x, h * channels, head, 0, channels);
            RmsNormForward(head, h < shape.NumHeads ? queryWeightC : keyWeightC, epsilon, head, rstd);
            CopyColumns(head, 0, y, h * channels, channels);
            CopyColumns(rstd.Reshape(tokens, 1), 0, rstdTJ, h, 1);
        }
    }

    /// <inheritdoc/>
    public override void QkNormBackward(
        Tensor gradYTQC, Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTJ,
        Tensor gradXTQC, Tensor gradQueryWeightC, Tensor gradKeyWeightC)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = TokensOf(xTQC, shape), channels = shape.HeadDim;
        Tensor gradX = Fused(gradXTQC, shape), rstd = scratch.F32(tokens);
        Tensor grad = scratch.F32(tokens, channels), head = scratch.F32(tokens, channels);
        Copy(Fused(gradYTQC, shape), gradX);
        for (int h = 0; h < shape.NumHeads + shape.NumKeyValueHeads; h++)
        {
            bool query = h < shape.NumHeads;
            CopyColumns(gradX, h * channels, grad, 0, channels);
            CopyColumns(Fused(xTQC, shape), h * channels, head, 0, channels);
            CopyColumns(rstdTJ, h, rstd.Reshape(tokens, 1), 0, 1);
            RmsNormBackward(
                grad, head, query ? queryWeightC : keyWeightC, rstd, grad, query ? gradQueryWeightC : gradKeyWeightC);
            CopyColumns(grad, 0, gradX, h * channels, channels);
        }
    }

    /// <inheritdoc/>
    public override void AttentionForward(Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH)
    {
        int tokens = TokensOf(qkvTQC, shape), channels = shape.HeadDim;
        Tensor allY = yTHC.Reshape(tokens, shape.NumHeads * channels);
        for (int first = 0; first < tokens; first += shape.SequenceLength)
        {
            using ScratchStack.Frame scratch = OpenScratch();
            var sequence = new Sequence(
                Fused(qkvTQC, shape), documentStartsT, shape, first, Math.Min(shape.SequenceLength, tokens - first), scratch);
            Tensor y = scratch.F32(sequence.Rows, channels), logSumExp = scratch.F32(sequence.Rows);
            for (int head = 0; head < shape.NumHeads; head++)
            {
                LoadHead(sequence, head);
                Probabilities(sequence, logSumExp);
                MultiplyBackwardInput(sequence.P, default, sequence.V, y, accumulate: false);
                CopyColumns(y, 0, allY.Slice(first, sequence.Rows), head * channels, channels);
                CopyColumns(logSumExp.Reshape(sequence.Rows, 1), 0, logSumExpTH.Slice(first, sequence.Rows), head, 1);
            }
        }
    }

    /// <inheritdoc/>
    public override void AttentionBackward(
        Tensor gradYTHC, Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH, Tensor gradQkvTQC)
    {
        int tokens = TokensOf(qkvTQC, shape), queriesPerKey = shape.NumHeads / shape.NumKeyValueHeads;
        for (int first = 0; first < tokens; first += shape.SequenceLength)
        {
            using ScratchStack.Frame scratch = OpenScratch();
            var sequence = new Sequence(
                Fused(qkvTQC, shape), documentStartsT, shape, first, Math.Min(shape.SequenceLength, tokens - first), scratch);
            Tensor gradY = gradYTHC.Reshape(tokens, shape.NumHeads * shape.HeadDim).Slice(first, sequence.Rows);
            Tensor gradQkv = Fused(gradQkvTQC, shape).Slice(first, sequence.Rows);
            for (int group = 0; group < shape.NumKeyValueHeads; group++)
            {
                KeyHeadBackward(sequence, gradY, group, queriesPerKey, gradQkv);
            }
        }
    }

    /// <inheritdoc/>
    public override void AttentionWithCache(Tensor qkvTQC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTHC)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = TokensOf(qkvTQC, shape), channels = shape.HeadDim, groups = shape.NumKeyValueHeads, filled = firstPosition + tokens;
        Tensor qkv = Fused(qkvTQC, shape), y = yTHC.Reshape(tokens, shape.NumHeads * channels);
        Tensor Plane(int head) => cache2GPC.Slice(head, 1).Reshape(cache2GPC[1], channels);
        for (int head = 0; head < 2 * groups; head++)
        {
            CopyColumns(qkv, (shape.NumHeads + head) * channels, Plane(head).Slice(firstPosition, tokens), 0, channels);
        }

        Tensor query = scratch.F32(tokens, channels), p = scratch.F32(tokens, filled), result = scratch.F32(tokens, channels);
        for (int head = 0; head < shape.NumHeads; head++)
        {
            int group = head / (shape.NumHeads / groups);
            CopyColumns(qkv, head * channels, query, 0, channels);
            MultiplyForward(query, default, Plane(group).Slice(0, filled), p, accumulate: false);
            Scale(p, ScoreScale(shape), p);
            SoftmaxRows(p, new SoftmaxRange(default, 0, firstPosition), p, default);
            MultiplyBackwardInput(p, default, Plane(groups + group).Slice(0, filled), result, accumulate: false);
            CopyColumns(result, 0, y, head * channels, channels);
        }
    }

    /// <summary>Gradients of one key head, of its value head and of the query heads that read them.</summary>
    private void KeyHeadBackward(Sequence sequence, Tensor gradYTHC, int group, int queriesPerKey, Tensor gradQkv)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        AttentionShape shape = sequence.Shape;
        int channels = shape.HeadDim, rows = sequence.Rows;
        Tensor gradY = scratch.F32(rows, channels), gradQ = scratch.F32(rows, channels), gradK = scratch.F32(rows, channels);
        Tensor gradV = scratch.F32(rows, channels), gradP = scratch.F32(rows, rows), product = scratch.F32(rows, rows),
            mean = scratch.F32(rows);
        Fill(gradK, 0);
        Fill(gradV, 0);
        for (int head = group * queriesPerKey; head < (group + 1) * queriesPerKey; head++)
        {
            LoadHead(sequence, head);
            Probabilities(sequence, default);
            CopyColumns(gradYTHC, head * channels, gradY, 0, channels);
            MultiplyBackwardWeight(sequence.P, gradY, default, gradV);

            // gradS = P * (gradP - sum_j P gradP) / sqrt(C)
            MultiplyForward(gradY, default, sequence.V, gradP, accumulate: false);
            Multiply(sequence.P, gradP, product);
            ReduceRows(RowReduction.Sum, product, mean);
            Map(BinaryFunction.Subtract, gradP, mean, Broadcast.PerRow, gradP);
            Multiply(gradP, sequence.P, gradP);
            Scale(gradP, ScoreScale(shape), gradP);
            MultiplyBackwardInput(gradP, default, sequence.K, gradQ, accumulate: false);
            MultiplyBackwardWeight(gradP, sequence.Q, default, gradK);
            CopyColumns(gradQ, 0, gradQkv, head * channels, channels);
        }

        CopyColumns(gradK, 0, gradQkv, (shape.NumHeads + group) * channels, channels);
        CopyColumns(gradV, 0, gradQkv, (shape.NumHeads + shape.NumKeyValueHeads + group) * channels, channels);
    }

    /// <summary>Copies a query head and the key and value heads that it reads, as F32.</summary>
    private void LoadHead(Sequence s, int head)
    {
        int channels = s.Shape.HeadDim, keyHead = s.Shape.NumHeads + head / (s.Shape.NumHeads / s.Shape.NumKeyValueHeads);
        CopyColumns(s.Qkv, head * channels, s.Q, 0, channels);
        CopyColumns(s.Qkv, keyHead * channels, s.K, 0, channels);
        CopyColumns(s.Qkv, (keyHead + s.Shape.NumKeyValueHeads) * channels, s.V, 0, channels);
    }

    /// <summary>P = softmax(Q K^T / sqrt(C)) over the keys of the row's document up to the row.</summary>
    private void Probabilities(Sequence s, Tensor logSumExp)
    {
        MultiplyForward(s.Q, default, s.K, s.P, accumulate: false);
        Scale(s.P, ScoreScale(s.Shape), s.P);
        SoftmaxRows(s.P, new SoftmaxRange(s.DocumentStarts, s.First, 0), s.P, logSumExp);
    }

    private void Rotate(
        Tensor xTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout, int direction, Tensor yTQC)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = TokensOf(xTQC, shape), pairs = cosSinPW.Columns / 2;
        Tensor x = Fused(xTQC, shape), y = Fused(yTQC, shape), table = scratch.F32(tokens, 2 * pairs);
        Tensor cos = scratch.F32(tokens, pairs), sin = scratch.F32(tokens, pairs), a = scratch.F32(tokens, pairs),
            b = scratch.F32(tokens, pairs);
        Tensor first = scratch.F32(tokens, pairs), second = scratch.F32(tokens, pairs);
        GatherRows(cosSinPW, positionsT, table);
        CopyColumns(table, 0, cos, 0, pairs);
        CopyColumns(table, pairs, sin, 0, pairs);
        Scale(sin, direction, sin);
        Copy(x, y);
        for (int head = 0; head < shape.NumHeads + shape.NumKeyValueHeads; head++)
        {
            CopyPairs(head * shape.HeadDim, toHead: false);
            Multiply(a, cos, first);
            Multiply(b, sin, second);
            Map(BinaryFunction.Subtract, first, second, Broadcast.None, first);
            Multiply(a, sin, a);
            Multiply(b, cos, second);
            Map(BinaryFunction.Add, second, a, Broadcast.None, second);
            CopyPairs(head * shape.HeadDim, toHead: true);
        }

        void CopyPairs(int at, bool toHead)
        {
            int runs = layout == RotaryLayout.Half ? 1 : pairs, width = pairs / runs, step = layout == RotaryLayout.Half ? pairs : 1;
            for (int i = 0; i < runs; i++)
            {
                int left = at + 2 * i * width, right = left + step;
                if (toHead)
                {
                    CopyColumns(first, i * width, y, left, width);
                    CopyColumns(second, i * width, y, right, width);
                }
                else
                {
                    CopyColumns(x, left, a, i * width, width);
                    CopyColumns(x, right, b, i * width, width);
                }
            }
        }
    }

    private static float ScoreScale(AttentionShape shape) => 1 / MathF.Sqrt(shape.HeadDim);

    /// <summary>Fused heads as rows of all their channels.</summary>
    private static Tensor Fused(Tensor xTQC, AttentionShape shape) =>
        xTQC.Reshape(TokensOf(xTQC, shape), shape.FusedHeads * shape.HeadDim);

    /// <summary>The rows of one sequence and the operands of one of its heads.</summary>
    private readonly struct Sequence(
        Tensor qkv, Tensor documentStarts, AttentionShape shape, int first, int rows, ScratchStack.Frame scratch)
    {
        public AttentionShape Shape { get; } = shape;

        public int First { get; } = first;

        public int Rows { get; } = rows;

        public Tensor Qkv { get; } = qkv.Slice(first, rows);

        public Tensor DocumentStarts { get; } = documentStarts.Slice(first, rows);

        public Tensor Q { get; } = scratch.F32(rows, shape.HeadDim);

        public Tensor K { get; } = scratch.F32(rows, shape.HeadDim);

        public Tensor V { get; } = scratch.F32(rows, shape.HeadDim);

        public Tensor P { get; } = scratch.F32(rows, rows);
    }
}
