namespace Lingotto.Compute;

/// <summary>
/// Attention of new rows over a key/value cache. A task is one row and one query head and walks the keys in blocks from the first
/// one on, so a row's result is the same alone, in a prompt or in a batch.
/// </summary>
internal readonly unsafe struct AttentionWithCache(
    float* qkv, float* cache, int firstPosition, AttentionShape shape, float* y, int tokens) : IRangeKernel
{
    /// <summary>Keys whose scores are turned into weights together.</summary>
    private const int Block = 64;

    public int Tasks => tokens * shape.NumHeads;

    /// <summary>Copies the new keys and values behind the old ones.</summary>
    public void Append()
    {
        int width = 2 * shape.NumKeyValueHeads * shape.HeadDim;
        for (int t = 0; t < tokens; t++)
        {
            float* from = qkv + ((nint)t * shape.FusedHeads + shape.NumHeads) * shape.HeadDim;
            new ReadOnlySpan<float>(from, width).CopyTo(new Span<float>(cache + (nint)(firstPosition + t) * width, width));
        }
    }

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        int channels = shape.HeadDim, keyHeads = shape.NumKeyValueHeads;
        nint step = (nint)2 * keyHeads * channels;
        float* weights = stackalloc float[Block];
        for (int task = begin; task < end; task++)
        {
            int t = task / shape.NumHeads, head = task % shape.NumHeads, keyHead = head / (shape.NumHeads / keyHeads), keys = firstPosition + t + 1;
            float* q = qkv + ((nint)t * shape.FusedHeads + head) * channels, output = y + (nint)task * channels;
            float maximum = float.NegativeInfinity, sum = 0;
            new Span<float>(output, channels).Clear();
            for (int position = 0; position < keys; position += Block)
            {
                int count = Math.Min(Block, keys - position);
                float* key = cache + position * step + (nint)keyHead * channels;
                Score<V, O>(q, key, step, count, weights);
                Weigh<V, O>(weights, count, output, ref maximum, ref sum);
                AddValues<V, O>(weights, key + (nint)keyHeads * channels, step, count, output);
            }

            V inverse = O.Broadcast(1f / sum);
            for (int c = 0; c < channels; c += O.Count)
            {
                VectorMath.Store<V, O>(O.Multiply(inverse, VectorMath.Load<V, O>(output + c, channels - c)), output + c, channels - c);
            }
        }
    }

    private void Score<V, O>(float* q, float* key, nint step, int count, float* scores)
        where V : struct
        where O : ILanes<V>
    {
        int channels = shape.HeadDim;
        float scale = 1f / MathF.Sqrt(channels);
        for (int j = 0; j < count; j++, key += step)
        {
            V dot = O.Zero;
            for (int c = 0; c < channels; c += O.Count)
            {
                dot = O.MultiplyAdd(VectorMath.Load<V, O>(q + c, channels - c), VectorMath.Load<V, O>(key + c, channels - c), dot);
            }

            scores[j] = O.Sum(dot) * scale;
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
            V e = VectorMath.Exp<V, O>(O.Subtract(VectorMath.Load<V, O>(scores + j, count - j, VectorMath.Invisible), shift));
            VectorMath.Store<V, O>(e, scores + j, count - j);
            total = O.Add(total, e);
        }

        OnlineSoftmax.Advance<V, O>(ref maximum, ref sum, output, shape.HeadDim, m, O.Sum(total));
    }

    private void AddValues<V, O>(float* weights, float* value, nint step, int count, float* output)
        where V : struct
        where O : ILanes<V>
    {
        int channels = shape.HeadDim;
        for (int c = 0; c < channels; c += O.Count)
        {
            int left = channels - c;
            V moved = VectorMath.Load<V, O>(output + c, left);
            float* row = value + c;
            for (int j = 0; j < count; j++, row += step)
            {
                moved = O.MultiplyAdd(O.Broadcast(weights[j]), VectorMath.Load<V, O>(row, left), moved);
            }

            VectorMath.Store<V, O>(moved, output + c, left);
        }
    }
}
