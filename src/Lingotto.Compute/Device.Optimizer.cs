namespace Lingotto.Compute;

/// <summary>One step of AdamW.</summary>
/// <param name="LearningRate">Of this step.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled decay; 0 for none.</param>
/// <param name="Step">1 for the first step; the moments are divided by 1 - beta^step.</param>
/// <param name="GradScale">Factor on the gradient: clipping.</param>
public readonly record struct AdamWStep(
    float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, long Step, float GradScale);

public abstract partial class Device
{
    /// <summary>
    /// g = GradScale * grad; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p -= lr * (mhat / (sqrt(vhat) + eps) + wd p)
    /// (Loshchilov and Hutter, 2019, algorithm 2). The gradient is zeroed for the next step.
    /// </summary>
    public abstract void AdamWUpdate(Tensor parameters, Tensor gradients, Tensor firstMoments, Tensor secondMoments, AdamWStep step);
}
