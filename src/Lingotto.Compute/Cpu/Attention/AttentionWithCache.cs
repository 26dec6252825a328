namespace Lingotto.Compute;

/// <summary>
/// Attention of new rows over a key/value cache. A task is one row and one query head and walks the keys in order, so a
/// row's result is the same alone, in a prompt or in a batch.
/// </summary>
internal readonly unsafe struct AttentionWithCache(
    float* qkv, float* cache, int firstPosition, AttentionShape shape, float* y, int tokens) : IRangeKernel
{
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
        for (int task = begin; task < end; task++)
        {
            int t = task / shape.NumHeads, head = task % shape.NumHeads, keyHead = head / (shape.NumHeads / keyHeads);
            float* q = qkv + ((nint)t * shape.FusedHeads + head) * channels, output = y + (nint)task * channels;
            float maximum = float.NegativeInfinity, sum = 0;
            new Span<float>(output, channels).Clear();
            for (int position = 0; position <= firstPosition + t; position++)
            {
                float* key = cache + position * step + (nint)keyHead * channels;
                Add<V, O>(q, key, key + (nint)keyHeads * channels, output, ref maximum, ref sum);
            }

            Scale<V, O>(output, 1f / sum);
        }
    }

    private void Add<V, O>(float* q, float* key, float* value, float* output, ref float maximum, ref float sum)
        where V : struct
        where O : ILanes<V>
    {
        int channels = shape.HeadDim;
        V dot = O.Zero;
        for (int c = 0; c < channels; c += O.Count)
        {
            dot = O.MultiplyAdd(VectorMath.Load<V, O>(q + c, channels - c), VectorMath.Load<V, O>(key + c, channels - c), dot);
        }

        float score = O.Sum(dot) / MathF.Sqrt(channels);
        if (score > maximum)
        {
            float correction = MathF.Exp(maximum - score);
            Scale<V, O>(output, correction);
            sum *= correction;
            maximum = score;
        }

        float p = MathF.Exp(score - maximum);
        sum += p;
        V weight = O.Broadcast(p);
        for (int c = 0; c < channels; c += O.Count)
        {
            int left = channels - c;
            V moved = O.MultiplyAdd(weight, VectorMath.Load<V, O>(value + c, left), VectorMath.Load<V, O>(output + c, left));
            VectorMath.Store<V, O>(moved, output + c, left);
        }
    }

    private void Scale<V, O>(float* output, float factor)
        where V : struct
        where O : ILanes<V>
    {
        V f = O.Broadcast(factor);
        for (int c = 0; c < shape.HeadDim; c += O.Count)
        {
            int left = shape.HeadDim - c;
            VectorMath.Store<V, O>(O.Multiply(f, VectorMath.Load<V, O>(output + c, left)), output + c, left);
        }
    }
}
