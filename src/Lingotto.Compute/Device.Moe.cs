namespace Lingotto.Compute;

/// <summary>The function from a router logit to a score.</summary>
public enum RouterScore
{
    /// <summary>Softmax over all experts (Ling 1.0).</summary>
    Softmax,

    /// <summary>Sigmoid of each expert (Ling 2.0).</summary>
    Sigmoid,
}

/// <summary>How a router selects the top-k experts and weighs them.</summary>
/// <param name="Score">Score function.</param>
/// <param name="NumExperts">E.</param>
/// <param name="NumExpertsPerTok">K, experts per token.</param>
/// <param name="NormTopkProb">Divide the top-k scores by their sum (plus 1e-20 for sigmoid).</param>
/// <param name="RoutedScalingFactor">Factor on the weights.</param>
/// <param name="NGroup">Groups of consecutive experts; 1 for no group limit.</param>
/// <param name="TopkGroup">Groups kept: those whose two best selection scores have the largest sum.</param>
public readonly record struct RouterShape(
    RouterScore Score, int NumExperts, int NumExpertsPerTok, bool NormTopkProb, float RoutedScalingFactor, int NGroup = 1,
    int TopkGroup = 1);

public abstract partial class Device
{
    /// <summary>
    /// Scores all experts, selects the top-k and weighs them. The selection score is score + bias; ties go to the lower expert; weights use
    /// the unbiased scores.
    /// </summary>
    /// <param name="logitsTE">Router logits.</param>
    /// <param name="biasE">Expert bias, or absent.</param>
    /// <param name="shape">The selection rule.</param>
    /// <param name="scoresTE">Output: softmax or sigmoid of the logits.</param>
    /// <param name="topKExpertIdsTK">Output I32: top-k experts, best first.</param>
    /// <param name="topKWeightsTK">Output: weights of the top-k experts.</param>
    public abstract void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK);

    /// <summary>
    /// gradLogits = the gradient through the weights, plus balanceCoefficient * E * sum_e f_e P_e (GShard; f_e = share of
    /// routed rows, constant; P_e = mean over tokens of the score normalised over experts), plus zCoefficient *
    /// mean_t logsumexp(logits_t)^2 (ST-MoE). Derivation in docs/derivations/router.md.
    /// </summary>
    public abstract void RouterBackward(
        Tensor gradWeightsTK, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE);

    /// <summary>losses[0] = E * sum_e f_e P_e (1 when balanced), losses[1] = mean_t logsumexp(logits_t)^2.</summary>
    public abstract void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2);

    /// <summary>
    /// Stochastic routing warmup (Ling report, eq. 3), in place: logits = alpha * logits + (1 - alpha) * (mu + sigma * e),
    /// e standard normal, mu and sigma the running mean and deviation of the raw logits of this layer.
    /// </summary>
    /// <param name="logitsTE">Router logits.</param>
    /// <param name="runningMeanSquare2">
    /// [mean, mean of squares]; updated first with rate <paramref name="rate"/> (1 on the first step).
    /// </param>
    /// <param name="alpha">min(step / warmup steps, 1).</param>
    /// <param name="rate">Weight of this batch in the running statistics.</param>
    /// <param name="random">The stream.</param>
    /// <param name="stream">High counter word: step and layer.</param>
    /// <param name="firstToken">
    /// Global number of the first row, so that a row's noise does not depend on its batch: e of token t and expert k is
    /// <see cref="CounterRandom.Normals"/>(<paramref name="stream"/>, i / 4)[i mod 4] with i = t E + k.
    /// </param>
    public abstract void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken);

    /// <summary>
    /// Sorts the T x K choices by expert, stably: the k-th choice of token t becomes routed row rowOfChoice[t,k].
    /// </summary>
    /// <param name="topKExpertIdsTK">I32.</param>
    /// <param name="tokensPerExpertE">Output I32: rows of each expert.</param>
    /// <param name="offsetsE1">Output I32: first row of each expert, and R at the end.</param>
    /// <param name="tokenOfRowR">Output I32: the token of each routed row.</param>
    /// <param name="rowOfChoiceTK">Output I32: the inverse.</param>
    public abstract void DispatchPlan(
        Tensor topKExpertIdsTK, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTK);

    /// <summary>gradX[t,:] += sum_k gradRows[rowOfChoice[t,k],:]: the backward of the gather in the forward matmul.</summary>
    public abstract void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTK, Tensor gradXTD);

    /// <summary>y[t,:] += sum_k weights[t,k] * rows[rowOfChoice[t,k],:].</summary>
    public abstract void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor yTD);

    /// <summary>
    /// gradRows[rowOfChoice[t,k],:] = weights[t,k] * gradY[t,:], gradWeights[t,k] = gradY[t,:] . rows[rowOfChoice[t,k],:]. gradRows is
    /// BF16, or F32 and then may be rows.
    /// </summary>
    public abstract void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor gradRowsRD, Tensor gradWeightsTK);

    /// <summary>
    /// Auxiliary-loss-free balancing (Ling 2.0): o_e = sign(mean count - count_e), bias_e += rate * (o_e - mean_e o_e).
    /// </summary>
    public abstract void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE);
}
