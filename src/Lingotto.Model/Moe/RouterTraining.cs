using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>What training asks of the routers for one micro-batch.</summary>
/// <param name="BalanceCoefficient">Weight of the balance loss of each layer, the share of this micro-batch included.</param>
/// <param name="ZCoefficient">Weight of the z-loss of each layer, likewise.</param>
/// <param name="WarmupAlpha">Stochastic routing warmup: 0 is random routing, 1 the router alone.</param>
/// <param name="WarmupRate">Weight of this micro-batch in the running statistics of the logits.</param>
/// <param name="Random">Stream of the warmup noise.</param>
/// <param name="Step">Global step, part of the noise's key.</param>
/// <param name="FirstToken">Global number of the first token, part of the noise's key.</param>
public readonly record struct RouterTraining(
    float BalanceCoefficient, float ZCoefficient, float WarmupAlpha, float WarmupRate, CounterRandom Random, long Step, long FirstToken);
