namespace Lingotto.Formats;

/// <summary>The function from router logits to expert scores.</summary>
public enum ScoreFunction
{
    /// <summary>Softmax over all experts, in float32.</summary>
    Softmax,

    /// <summary>Sigmoid of each logit on its own.</summary>
    Sigmoid,
}
