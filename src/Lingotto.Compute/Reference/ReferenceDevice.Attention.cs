namespace Lingotto.Compute;

public sealed partial class ReferenceDevice
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
        int channels = shape.HeadDim, normalised = shape.NumHeads + shape.NumKeyValueHeads, tokens = Tokens(xTQC, shape);
        Reals x = Read(xTQC), y = Read(yTQC, x.Length), rstd = Read(rstdTJ, (long)tokens * normalised);
        Reals queryWeight = Read(queryWeightC, channels), keyWeight = Read(keyWeightC, channels);
        Copy(xTQC, yTQC);
        for (int t = 0; t < tokens; t++)
        {
            for (int head = 0; head < normalised; head++)
            {
                rstd[(long)t * normalised + head] = NormaliseRow(
                    x, head < shape.NumHeads ? queryWeight : keyWeight, At(shape, t, head), channels, epsilon, y);
            }
        }
    }

    /// <inheritdoc/>
    public override void QkNormBackward(
        Tensor gradYTQC, Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTJ,
        Tensor gradXTQC, Tensor gradQueryWeightC, Tensor gradKeyWeightC)
    {
        int channels = shape.HeadDim, normalised = shape.NumHeads + shape.NumKeyValueHeads, tokens = Tokens(xTQC, shape);
        Reals gradY = Read(gradYTQC, xTQC.Length), x = Read(xTQC), rstd = Read(rstdTJ, (long)tokens * normalised);
        Reals queryWeight = Read(queryWeightC, channels), keyWeight = Read(keyWeightC, channels), gradX = Read(gradXTQC, x.Length);
        Reals gradQueryWeight = Read(gradQueryWeightC, channels), gradKeyWeight = Read(gradKeyWeightC, channels);
        Copy(gradYTQC, gradXTQC);
        for (int t = 0; t < tokens; t++)
        {
            for (int head = 0; head < normalised; head++)
            {
                bool query = head < shape.NumHeads;
                NormaliseRowBackward(
                    gradY, x, query ? queryWeight : keyWeight, rstd[(long)t * normalised + head], At(shape, t, head), channels, gradX,
                    query ? gradQueryWeight : gradKeyWeight);
            }
        }
    }

    /// <inheritdoc/>
    public override void AttentionForward(Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH)
    {
        int tokens = Tokens(qkvTQC, shape);
        Span<int> starts = Integers(documentStartsT, tokens);
        Reals qkv = Read(qkvTQC), y = Read(yTHC, (long)tokens * shape.NumHeads * shape.HeadDim);
        Reals logSumExp = Read(logSumExpTH, (long)tokens * shape.NumHeads);
        for (int t = 0; t < tokens; t++)
        {
            for (int a = 0; a < shape.NumHeads; a++)
            {
                (double[] p, logSumExp[(long)t * shape.NumHeads + a]) = Probabilities(qkv, shape, t, a, FirstVisible(shape, starts[t], t));
                WeighValues(p, qkv, shape, t, a, y);
            }
        }
    }

    /// <inheritdoc/>
    public override void AttentionBackward(
        Tensor gradYTHC, Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH, Tensor gradQkvTQC)
    {
        int tokens = Tokens(qkvTQC, shape);
        Span<int> starts = Integers(documentStartsT, tokens);
        Reals gradY = Read(gradYTHC, (long)tokens * shape.NumHeads * shape.HeadDim), qkv = Read(qkvTQC),
            result = Read(gradQkvTQC, qkv.Length);
        var gradQkv = new double[qkv.Length];
        for (int t = 0; t < tokens; t++)
        {
            for (int a = 0; a < shape.NumHeads; a++)
            {
                RowBackward(gradY, qkv, shape, t, a, FirstVisible(shape, starts[t], t), gradQkv);
            }
        }

        for (long i = 0; i < gradQkv.Length; i++)
        {
            result[i] = gradQkv[i];
        }
    }

    /// <inheritdoc/>
    public override void AttentionWithCache(Tensor qkvTQC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTHC)
    {
        int tokens = Tokens(qkvTQC, shape), channels = shape.HeadDim, groups = shape.NumKeyValueHeads, positions = cache2GPC[1];
        long Row(int head, int position) => ((long)head * positions + position) * channels;
        Reals qkv = Read(qkvTQC), cache = Read(cache2GPC), y = Read(yTHC, (long)tokens * shape.NumHeads * channels);
        for (int t = 0; t < tokens; t++)
        {
            for (int head = 0; head < 2 * groups; head++)
            {
                for (int c = 0; c < channels; c++)
                {
                    cache[Row(head, firstPosition + t) + c] = qkv[At(shape, t, shape.NumHeads + head) + c];
                }
            }
        }

        for (int row = 0; row < tokens * shape.NumHeads; row++)
        {
            int t = row / shape.NumHeads, a = row % shape.NumHeads, group = a / (shape.NumHeads / groups);
            var scores = new double[firstPosition + t + 1];
            for (int position = 0; position < scores.Length; position++)
            {
                for (int c = 0; c < channels; c++)
                {
                    scores[position] += qkv[At(shape, t, a) + c] * cache[Row(group, position) + c] / Math.Sqrt(channels);
                }
            }

            (double[] p, _) = Softmax(scores);
            for (int c = 0; c < channels; c++)
            {
                double sum = 0;
                for (int position = 0; position < p.Length; position++)
                {
                    sum += p[position] * cache[Row(groups + group, position) + c];
                }

                y[(long)row * channels + c] = sum;
            }
        }
    }

    private static int Tokens(Tensor qkv, AttentionShape shape) => checked((int)(qkv.Length / ((long)shape.FusedHeads * shape.HeadDim)));

    /// <summary>Index of the first channel of a head of a fused row.</summary>
    private static long At(AttentionShape shape, int token, int head) => ((long)token * shape.FusedHeads + head) * shape.HeadDim;

    private static int KeyHead(AttentionShape shape, int head) => shape.NumHeads + head / (shape.NumHeads / shape.NumKeyValueHeads);

    private static int FirstVisible(AttentionShape shape, int documentStart, int token) =>
        Math.Max(documentStart, token / shape.SequenceLength * shape.SequenceLength);

    private static (double[] Probabilities, double LogSumExp) Softmax(double[] scores)
    {
        double largest = scores.Max(), logSumExp = largest + Math.Log(scores.Sum(score => Math.Exp(score - largest)));
        return ([.. scores.Select(score => Math.Exp(score - logSumExp))], logSumExp);
    }

    /// <summary>softmax over the keys first .. t of q k / sqrt(C).</summary>
    private static (double[] Probabilities, double LogSumExp) Probabilities(Reals qkv, AttentionShape shape, int t, int head, int first)
    {
        long query = At(shape, t, head);
        var scores = new double[t - first + 1];
        for (int j = 0; j < scores.Length; j++)
        {
            long key = At(shape, first + j, KeyHead(shape, head));
            for (int c = 0; c < shape.HeadDim; c++)
            {
                scores[j] += qkv[query + c] * qkv[key + c];
            }

            scores[j] /= Math.Sqrt(shape.HeadDim);
        }

        return Softmax(scores);
    }

    /// <summary>y = sum_j p_j v_j, the keys ending at row t.</summary>
    private static void WeighValues(double[] p, Reals qkv, AttentionShape shape, int t, int head, Reals y)
    {
        int valueHead = KeyHead(shape, head) + shape.NumKeyValueHeads, first = t + 1 - p.Length;
        for (int c = 0; c < shape.HeadDim; c++)
        {
            double sum = 0;
            for (int j = 0; j < p.Length; j++)
            {
                sum += p[j] * qkv[At(shape, first + j, valueHead) + c];
            }

            y[((long)t * shape.NumHeads + head) * shape.HeadDim + c] = sum;
        }
    }

    /// <summary>
    /// dp_j = gradY v_j; ds_j = p_j (dp_j - sum_i p_i dp_i); gradV_j += p_j gradY; gradQ += ds_j k_j / sqrt(C), gradK_j likewise.
    /// </summary>
    private static void RowBackward(Reals gradY, Reals qkv, AttentionShape shape, int t, int head, int first, double[] gradQkv)
    {
        (double[] p, _) = Probabilities(qkv, shape, t, head, first);
        int keyHead = KeyHead(shape, head), valueHead = keyHead + shape.NumKeyValueHeads, channels = shape.HeadDim;
        long query = At(shape, t, head), output = ((long)t * shape.NumHeads + head) * channels;
        var gradP = new double[p.Length];
        double mean = 0;
        for (int j = 0; j < p.Length; j++)
        {
            long value = At(shape, first + j, valueHead);
            for (int c = 0; c < channels; c++)
            {
                gradP[j] += gradY[output + c] * qkv[value + c];
                gradQkv[value + c] += p[j] * gradY[output + c];
            }

            mean += p[j] * gradP[j];
        }

        for (int j = 0; j < p.Length; j++)
        {
            double gradScore = p[j] * (gradP[j] - mean) / Math.Sqrt(channels);
            long key = At(shape, first + j, keyHead);
            for (int c = 0; c < channels; c++)
            {
                gradQkv[query + c] += gradScore * qkv[key + c];
                gradQkv[key + c] += gradScore * qkv[query + c];
            }
        }
    }

    private static void Rotate(
        Tensor xTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout, int direction, Tensor yTQC)
    {
        int tokens = Tokens(xTQC, shape), pairs = cosSinPW.Columns / 2;
        Span<int> positions = Integers(positionsT, tokens);
        Reals x = Read(xTQC), cosSin = Read(cosSinPW), y = Read(yTQC, x.Length);
        for (long i = 0; i < x.Length; i++)
        {
            y[i] = x[i];
        }

        for (int t = 0; t < tokens; t++)
        {
            for (int head = 0; head < shape.NumHeads + shape.NumKeyValueHeads; head++)
            {
                for (int i = 0; i < pairs; i++)
                {
                    long angle = (long)positions[t] * 2 * pairs + i, at = At(shape, t, head);
                    long first = at + (layout == RotaryLayout.Half ? i : 2 * i);
                    long second = first + (layout == RotaryLayout.Half ? pairs : 1);
                    double cos = cosSin[angle], sin = direction * cosSin[angle + pairs], a = x[first], b = x[second];
                    y[first] = a * cos - b * sin;
                    y[second] = b * cos + a * sin;
                }
            }
        }
    }
}
