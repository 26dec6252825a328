namespace Lingotto.Planning;

/// <summary>What backward computes again instead of keeping.</summary>
public enum Recompute
{
    /// <summary>Nothing beyond what flash attention does inside.</summary>
    None,

    /// <summary>Norms and activation functions, and attention scores where attention is not fused: cheap arithmetic, large tensors.</summary>
    Selective,

    /// <summary>Every layer from its input.</summary>
    Full,
}
