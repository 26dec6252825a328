namespace Lingotto.Formats;

/// <summary>How the router turns logits into expert scores.</summary>
public enum ScoreFunction
{
    /// <summary>Softmax over all experts, in float32.</summary>
    Softmax,

    /// <summary>Sigmoid of each logit on its own.</summary>
    Sigmoid,
}
