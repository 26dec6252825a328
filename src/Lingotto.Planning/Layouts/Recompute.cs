namespace Lingotto.Planning;

/// <summary>What backward recomputes instead of keeping it in memory.</summary>
public enum Recompute
{
    /// <summary>Nothing, except what flash attention recomputes inside its kernel.</summary>
    None,

    /// <summary>Norms and activation functions, and attention scores if attention is not fused: cheap arithmetic, large tensors.</summary>
    Selective,

    /// <summary>Every layer, from its input.</summary>
    Full,
}
