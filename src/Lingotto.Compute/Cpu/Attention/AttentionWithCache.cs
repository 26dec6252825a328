namespace Lingotto.Compute;

/// <summary>
/// Attention of new rows over a key/value cache. A task is one row and one query head and walks the keys in blocks from the first
/// one on, so a row's result is the same alone, in a prompt or in a batch.
/// </summary>
internal readonly unsafe struct AttentionWithCache(
    float* qkv, float* cache, int positions, int firstPosition, AttentionShape shape, float* y, int tokens) : IRangeKernel
{
    /// <summary>Keys whose scores are turned into weights together.</summary>
    private const int Block = 64;

    public int Tasks => tokens * shape.NumHeads;

    /// <summary>Appends the new keys and values to those of their head.</summary>
    public void Append()
    {
        int heads = 2 * shape.NumKeyValueHeads, channels = shape.HeadDim;
        for (int t = 0; t < tokens; t++)
        {
            float* from = qkv + ((nint)t * shape.FusedHeads + shape.NumHeads) * channels;
            for (int head = 0; head < heads; head++)
            {
                new ReadOnlySpan<float>(from + (nint)head * channels, channels).CopyTo(
                    new Span<float>(Row(head, firstPosition + t), channels));
            }
        }
    }

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        int channels = shape.HeadDim, keyHeads = shape.NumKeyValueHeads;
        float* weights = stackalloc float[Block];
        for (int task = begin; task < end; task++)
        {
            int t = task / shape.NumHeads, head = task % shape.NumHeads, keyHead = head / (shape.NumHeads / keyHeads),
                keys = firstPosition + t + 1;
            float* q = qkv + ((nint)t * shape.FusedHeads + head) * channels, output = y + (nint)task * channels;
            float maximum = float.NegativeInfinity, sum = 0;
            new Span<float>(output, channels).Clear();
            for (int position = 0; position < keys; position += Block)
            {
                int count = Math.Min(Block, keys - position);
                Score<V, O>(q, Row(keyHead, position), count, weights);
                Weigh<V, O>(weights, count, output, ref maximum, ref sum);
                AddValues<V, O>(weights, Row(keyHeads + keyHead, position), count, output);
            }

            V inverse = O.Broadcast(1f / sum);
            for (int c = 0; c < channels; c += O.Count)
            {
                VectorMath.Store<V, O>(O.Multiply(inverse, VectorMath.Load<V, O>(output + c, channels - c)), output + c, channels - c);
            }
        }
    }

    /// <summary>[C] of a position; the heads are those of the keys, then those of the values.</summary>
    private float* Row(int head, int position) => cache + ((nint)head * positions + position) * shape.HeadDim;

    private void Score<V, O>(float* q, float* key, int count, float* scores)
        where V : struct
        where O : ILanes<V>
    {
        int channels = shape.HeadDim, whole = channels - channels % O.Count;
        float scale = 1f / MathF.Sqrt(channels);
        for (int j = 0; j < count; j++, key += channels)
        {
            V products = O.Zero;
            for (int c = 0; c < whole; c += O.Count)
            {
                products = O.MultiplyAdd(O.Load(q + c), O.Load(key + c), products);
            }

            float dot = O.Sum(products);
            for (int c = whole; c < channels; c++)
            {
                dot += q[c] * key[c];
            }

            scores[j] = dot * scale;
        }
    }

    /// <summary>Scores become e^(s - m), after what came before is rescaled to the new maximum m.</summary>
    private void Weigh<V, O>(float* scores, int count, float* output, ref float maximum, ref float sum)
        where V : struct
        where O : ILanes<V>
    {
        V largest = O.Broadcast(maximum), total = O.Zero;
        for (int j = 0; j < count; j += O.Count)
        {
            largest = O.Max(largest, VectorMath.Load<V, O>(scores + j, count - j, float.NegativeInfinity));
        }

        float m = O.Maximum(largest);
        V shift = O.Broadcast(m);
        for (int j = 0; j < count; j += O.Count)
        {
            V e = VectorMath.Exp<V, O>(O.Subtract(VectorMath.Load<V, O>(scores + j, count - j, VectorMath.MaskedScore), shift));
            VectorMath.Store<V, O>(e, scores + j, count - j);
            total = O.Add(total, e);
        }

        OnlineSoftmax.Advance<V, O>(ref maximum, ref sum, output, shape.HeadDim, m, O.Sum(total));
    }

    private void AddValues<V, O>(float* weights, float* value, int count, float* output)
        where V : struct
        where O : ILanes<V>
    {
        int channels = shape.HeadDim, whole = channels - channels % O.Count;
        for (int c = 0; c < whole; c += O.Count)
        {
            V moved = O.Load(output + c);
            float* row = value + c;
            for (int j = 0; j < count; j++, row += channels)
            {
                moved = O.MultiplyAdd(O.Broadcast(weights[j]), O.Load(row), moved);
            }

            O.Store(moved, output + c);
        }

        for (int j = 0; j < count; j++, value += channels)
        {
            for (int c = whole; c < channels; c++)
            {
                output[c] += weights[j] * value[c];
            }
        }
    }
}
