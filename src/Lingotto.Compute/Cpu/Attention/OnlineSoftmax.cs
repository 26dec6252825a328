namespace Lingotto.Compute;

/// <summary>
/// A softmax whose scores come block by block: what was summed is rescaled to each new maximum (Milakov and Gimelshein, 2018).
/// </summary>
internal static unsafe class OnlineSoftmax
{
    /// <summary>
    /// Probabilities e^(s / sqrt(C) - m) of a row's unmasked keys, 0 elsewhere, after rescaling the earlier sums to the new maximum m.
    /// </summary>
    /// <param name="scores">[count]: s, with room for whole registers. Masked ones are overwritten.</param>
    /// <param name="from">First unmasked key; may be before this block.</param>
    /// <param name="to">The key after the last unmasked one; may be after this block.</param>
    /// <param name="count">Keys of the block.</param>
    /// <param name="p">[count], with room for whole registers: the probabilities as <typeparamref name="E"/>; may be scores.
    /// An odd count is followed by a 0, since matmuls in bfloat16 read pairs.</param>
    /// <param name="output">[C]: values weighted so far.</param>
    /// <param name="channels">C.</param>
    /// <param name="maximum">Largest score so far; minus infinity before the first.</param>
    /// <param name="sum">Sum of e^(score - maximum).</param>
    public static void AddRow<V, O, E>(
        float* scores, int from, int to, int count, void* p, float* output, int channels, ref float maximum, ref float sum)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        from = Math.Max(0, from);
        to = Math.Min(count, to);
        int padded = count + count % 2;
        if (from >= to)
        {
            Clear<E>(p, 0, padded);
            return;
        }

        // Whole registers only: their lanes outside the unmasked keys are masked first.
        int first = from / O.Count * O.Count, last = (to + O.Count - 1) / O.Count * O.Count;
        new Span<float>(scores + first, from - first).Fill(float.NegativeInfinity);
        new Span<float>(scores + to, last - to).Fill(float.NegativeInfinity);
        V scale = O.Broadcast(1f / MathF.Sqrt(channels)), largest = O.Broadcast(float.NegativeInfinity);
        for (int j = first; j < last; j += O.Count)
        {
            largest = O.Max(largest, O.Load(scores + j));
        }

        float m = MathF.Max(maximum, O.Maximum(O.Multiply(scale, largest)));
        V shift = O.Broadcast(m), total = O.Zero;
        for (int j = first; j < last; j += O.Count)
        {
            V e = VectorMath.Exp<V, O>(O.Subtract(O.Multiply(scale, O.Load(scores + j)), shift));
            E.Store<V, O>(e, p, j, O.Count);
            total = O.Add(total, e);
        }

        // The clamped exponential of a masked score is tiny but not zero.
        Clear<E>(p, 0, from);
        Clear<E>(p, to, Math.Max(last, padded));
        Advance<V, O>(ref maximum, ref sum, output, channels, m, O.Sum(total));
    }

    /// <summary>y[at + c] = output[c] / sum; returns the logarithm of the sum of e^score.</summary>
    public static float Finish<V, O, E>(float* output, int channels, float maximum, float sum, void* y, nint at)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement
    {
        V inverse = O.Broadcast(1f / sum);
        for (int c = 0; c < channels; c += O.Count)
        {
            V value = VectorMath.Load<V, O>(output + c, channels - c);
            E.Store<V, O>(O.Multiply(inverse, value), y, at + c, channels - c);
        }

        return maximum + MathF.Log(sum);
    }

    /// <summary>sum = sum e^(old - new) + added, output = output e^(old - new), maximum = new.</summary>
    /// <param name="maximum">Largest score so far; minus infinity before the first.</param>
    /// <param name="sum">Sum of e^(score - maximum).</param>
    /// <param name="output">[C]: values weighted so far.</param>
    /// <param name="channels">C.</param>
    /// <param name="largest">The new maximum.</param>
    /// <param name="added">Sum of e^(score - largest) over the new scores.</param>
    public static void Advance<V, O>(ref float maximum, ref float sum, float* output, int channels, float largest, float added)
        where V : struct
        where O : ILanes<V>
    {
        float correction = MathF.Exp(maximum - largest);
        sum = sum * correction + added;
        maximum = largest;
        if (correction == 1f)
        {
            return;
        }

        V factor = O.Broadcast(correction);
        for (int c = 0; c < channels; c += O.Count)
        {
            VectorMath.Store<V, O>(O.Multiply(factor, VectorMath.Load<V, O>(output + c, channels - c)), output + c, channels - c);
        }
    }

    private static void Clear<E>(void* p, int from, int to)
        where E : struct, IElement => new Span<byte>((byte*)p + from * E.Size, (to - from) * E.Size).Clear();
}
