namespace Lingotto.Compute;

public sealed partial class ReferenceDevice
{
    /// <inheritdoc/>
    public override void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD)
    {
        int rows = wVD.Rows, columns = wVD.Columns;
        Reals w = Read(wVD), inverseNorm = Read(inverseNormD, columns);
        for (int d = 0; d < columns; d++)
        {
            double squares = 0;
            for (int v = 0; v < rows; v++)
            {
                squares += w[(long)v * columns + d] * w[(long)v * columns + d];
            }

            inverseNorm[d] = 1 / (Math.Sqrt(squares) + 1e-7);
        }
    }

    /// <inheritdoc/>
    public override void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD,
        Tensor weightsT = default, Tensor logProbsT = default)
    {
        int tokens = hTD.Rows, vocabulary = wVD.Weight[-2], hidden = wVD.Weight[-1];
        Span<int> targets = Integers(targetsT, tokens);
        Reals h = Read(hTD, (long)tokens * hidden), w = Read(wVD.Weight), loss = Read(lossT, tokens);
        for (int t = 0; t < tokens; t++)
        {
            var gradLogits = new double[vocabulary];
            double weight = weightsT.IsAbsent ? 1 : Read(weightsT, tokens)[t], logProb = 0;
            if (targets[t] != IgnoredTarget)
            {
                logProb = -CrossEntropy(h, w, (long)t * hidden, hidden, targets[t], gradScale * weight, gradLogits);
            }

            loss[t] = -weight * logProb;
            if (!logProbsT.IsAbsent)
            {
                Reals logProbs = Read(logProbsT, tokens);
                logProbs[t] = logProb;
            }

            if (!gradHTD.IsAbsent)
            {
                LinearBackward(gradLogits, h, w, (long)t * hidden, hidden, Read(gradHTD, h.Length), Read(gradWVD, w.Length));
            }
        }
    }

    /// <summary>-log softmax(W h)[target], and gradScale times its gradient with respect to the logits.</summary>
    private static double CrossEntropy(Reals h, Reals w, long at, int hidden, int target, double gradScale, double[] gradLogits)
    {
        var logits = new double[gradLogits.Length];
        for (int v = 0; v < logits.Length; v++)
        {
            for (int d = 0; d < hidden; d++)
            {
                logits[v] += h[at + d] * w[(long)v * hidden + d];
            }
        }

        double largest = logits.Max(), logSumExp = largest + Math.Log(logits.Sum(logit => Math.Exp(logit - largest)));
        for (int v = 0; v < logits.Length; v++)
        {
            gradLogits[v] = gradScale * (Math.Exp(logits[v] - logSumExp) - (v == target ? 1 : 0));
        }

        return logSumExp - logits[target];
    }

    /// <summary>gradH = g W, gradW += g^T h for one row; gradW first, since gradH may be h.</summary>
    private static void LinearBackward(double[] g, Reals h, Reals w, long at, int hidden, Reals gradH, Reals gradW)
    {
        for (int d = 0; d < hidden; d++)
        {
            double sum = 0;
            for (int v = 0; v < g.Length; v++)
            {
                gradW[(long)v * hidden + d] += g[v] * h[at + d];
                sum += g[v] * w[(long)v * hidden + d];
            }

            gradH[at + d] = sum;
        }
    }
}
