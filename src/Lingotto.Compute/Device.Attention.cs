namespace Lingotto.Compute;

/// <summary>How the channels of a head pair up under rotation.</summary>
public enum RotaryLayout
{
    /// <summary>Channel i turns with channel i + R/2 (GPT-NeoX, Hugging Face rotate_half).</summary>
    Half,

    /// <summary>Channel 2i turns with channel 2i + 1 (RoFormer).</summary>
    Interleaved,
}

/// <summary>Heads of one attention layer.</summary>
/// <param name="NumHeads">A, query heads.</param>
/// <param name="NumKeyValueHeads">G, a divisor of A; query head a reads key/value head a / (A / G).</param>
/// <param name="HeadDim">C, channels of a head; scores are scaled by 1 / sqrt(C).</param>
/// <param name="SequenceLength">Rows of one sequence: no row attends across a multiple of it.</param>
public readonly record struct AttentionShape(int NumHeads, int NumKeyValueHeads, int HeadDim, int SequenceLength)
{
    /// <summary>H = A + 2G, heads in a fused row.</summary>
    public int FusedHeads => NumHeads + 2 * NumKeyValueHeads;
}

public abstract partial class Device
{
    /// <summary>
    /// Turns the first R channels of query and key heads by the angle of their position (Su et al., 2021):
    /// (a, b) becomes (a cos - b sin, b cos + a sin).
    /// </summary>
    /// <param name="xTHC">Fused heads.</param>
    /// <param name="positionsT">I32[T], position of each row in its document.</param>
    /// <param name="cosSinPR">[P, R]: R/2 cosines, then R/2 sines, for each position below P.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="layout">How channels pair up.</param>
    /// <param name="yTHC">Output, F32 or BF16; may be x. What does not turn, values above all, is copied.</param>
    public abstract void RopeForward(
        Tensor xTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout, Tensor yTHC);

    /// <summary>Turns gradients back in place: (a, b) becomes (a cos + b sin, b cos - a sin).</summary>
    public abstract void RopeBackward(Tensor gradQkvTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout);

    /// <summary>RMSNorm over the C channels of each query head (weight wq) and key head (wk); values are copied. rstd is [T, A + G].</summary>
    public abstract void QkNormForward(
        Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTHC, Tensor rstdTH);

    /// <summary>Backward of <see cref="QkNormForward"/>; gradX may be gradY.</summary>
    public abstract void QkNormBackward(
        Tensor gradYTHC, Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTH,
        Tensor gradXTHC, Tensor gradQueryWeightC, Tensor gradKeyWeightC);

    /// <summary>
    /// Causal softmax attention: row t sees rows documentStarts[t] .. t. No T x T matrix is held (Dao et al., 2022).
    /// </summary>
    /// <param name="qkvTHC">Fused heads, already turned, F32 or BF16.</param>
    /// <param name="documentStartsT">I32[T], the row at which the document of row t begins.</param>
    /// <param name="shape">Heads and sequence length.</param>
    /// <param name="yTAC">Output, [T, A, C], of the same type.</param>
    /// <param name="logSumExpTA">Log of the softmax denominator, [T, A], for the backward pass.</param>
    public abstract void AttentionForward(Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA);

    /// <summary>Backward of <see cref="AttentionForward"/>: recomputes the probabilities tile by tile. Gradients are F32. Derivation in docs/derivations/attention.md.</summary>
    public abstract void AttentionBackward(
        Tensor gradYTAC, Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA, Tensor gradQkvTHC);

    /// <summary>
    /// Appends the keys and values of T new rows to a cache at <paramref name="firstPosition"/> and attends each row to
    /// every position up to its own. A row's result does not depend on how many rows came with it.
    /// </summary>
    /// <param name="qkvTHC">Fused heads of the new rows.</param>
    /// <param name="cache2GPC">[2G, P, C]: G heads of keys, then G of values; each holds its positions one after another, as they are read.</param>
    /// <param name="firstPosition">Position of the first new row.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="yTAC">Output.</param>
    public abstract void AttentionWithCache(Tensor qkvTHC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTAC);
}
