namespace Lingotto.Compute;

public abstract partial class Device
{
    /// <summary>Targets equal to this are not predicted (the PyTorch convention).</summary>
    public const int IgnoredTarget = -100;

    /// <summary>
    /// NormHead: inverseNorm[d] = 1 / (sqrt(sum_v w[v,d]^2) + 1e-7), a constant for the backward pass (Ling, compute_logit).
    /// </summary>
    public abstract void ColumnInverseNorm(Tensor wVD, Tensor inverseNormD);

    /// <summary>
    /// Cross-entropy of softmax(h W^T), forward and backward in one pass over chunks of tokens, so that the T x V logits
    /// are never held: logProbs[t] = logits_t[target_t] - logsumexp(logits_t) in nats, loss[t] = -weights[t] * logProbs[t], both 0
    /// where ignored; with g = gradScale * weights[t] * (softmax - onehot): gradH = g W, gradW += g^T h.
    /// </summary>
    /// <param name="hTD">Input of the head.</param>
    /// <param name="wVD">The head.</param>
    /// <param name="targetsT">I32, or <see cref="IgnoredTarget"/>.</param>
    /// <param name="gradScale">1 / number of targets in the whole batch.</param>
    /// <param name="lossT">Output.</param>
    /// <param name="gradHTD">Output; absent together with <paramref name="gradWVD"/> when only the loss is wanted. May be h.</param>
    /// <param name="gradWVD">Accumulated.</param>
    /// <param name="weightsT">F32 weight of each row; absent for 1 everywhere. No gradient flows to it.</param>
    /// <param name="logProbsT">Output: log-probability of each target, unweighted; absent when not wanted.</param>
    public abstract void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD,
        Tensor weightsT = default, Tensor logProbsT = default);

    /// <summary>result[0] = sum_i x[i], by a fixed tree.</summary>
    public abstract void Sum(Tensor x, Tensor result1);

    /// <summary>result[0] = sum_i x[i]^2, by a fixed tree.</summary>
    public abstract void SumOfSquares(Tensor x, Tensor result1);
}
