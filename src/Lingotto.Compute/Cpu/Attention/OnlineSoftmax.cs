namespace Lingotto.Compute;

/// <summary>
/// A softmax whose scores come block by block: what was summed is rescaled to each new maximum (Milakov and Gimelshein, 2018).
/// </summary>
internal static unsafe class OnlineSoftmax
{
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
}
