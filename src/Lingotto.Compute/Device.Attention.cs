namespace Lingotto.Compute;

/// <summary>How the channels of a head pair up under rotation.</summary>
public enum RotaryLayout
{
    /// <summary>Channel i rotates with channel i + W/2 (GPT-NeoX, Hugging Face rotate_half).</summary>
    Half,

    /// <summary>Channel 2i rotates with channel 2i + 1 (RoFormer).</summary>
    Interleaved,
}

/// <summary>Heads of one attention layer.</summary>
/// <param name="NumHeads">H, query heads.</param>
/// <param name="NumKeyValueHeads">G, a divisor of H; query head h reads key/value head h / (H / G).</param>
/// <param name="HeadDim">C, channels of a head; scores are scaled by 1 / sqrt(C).</param>
/// <param name="SequenceLength">Rows of one sequence: no row attends across a multiple of it.</param>
public readonly record struct AttentionShape(int NumHeads, int NumKeyValueHeads, int HeadDim, int SequenceLength)
{
    /// <summary>Q = H + 2G, heads of a fused row.</summary>
    public int FusedHeads => NumHeads + 2 * NumKeyValueHeads;
}

public abstract partial class Device
{
    /// <summary>
    /// Rotates the first W channels of query and key heads by the angle of their position (Su et al., 2021):
    /// (a, b) becomes (a cos - b sin, b cos + a sin).
    /// </summary>
    /// <param name="xTQC">Fused heads.</param>
    /// <param name="positionsT">I32[T], position of each row in its document.</param>
    /// <param name="cosSinPW">[P, W]: W/2 cosines, then W/2 sines, for each position below P.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="layout">How channels pair up.</param>
    /// <param name="yTQC">Output, F32 or BF16; may be x. Channels that do not rotate and values are copied.</param>
    public abstract void RopeForward(
        Tensor xTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout, Tensor yTQC);

    /// <summary>Rotates gradients back in place: (a, b) becomes (a cos + b sin, b cos - a sin).</summary>
    public abstract void RopeBackward(Tensor gradQkvTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout);

    /// <summary>
    /// RMSNorm over the C channels of each query head (weight wq) and key head (wk); values are copied. rstd is [T, H + G].
    /// </summary>
    public abstract void QkNormForward(
        Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTQC, Tensor rstdTJ);

    /// <summary>Backward of <see cref="QkNormForward"/>; gradX may be gradY.</summary>
    public abstract void QkNormBackward(
        Tensor gradYTQC, Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTJ,
        Tensor gradXTQC, Tensor gradQueryWeightC, Tensor gradKeyWeightC);

    /// <summary>
    /// Causal softmax attention: row t sees rows documentStarts[t] .. t. No T x T matrix is held (Dao et al., 2022).
    /// </summary>
    /// <param name="qkvTQC">Fused heads, already rotated, F32 or BF16.</param>
    /// <param name="documentStartsT">I32[T], the row at which the document of row t begins.</param>
    /// <param name="shape">Heads and sequence length.</param>
    /// <param name="yTHC">Output, [T, H, C], of the same type.</param>
    /// <param name="logSumExpTH">Log of the softmax denominator, [T, H], for the backward pass.</param>
    public abstract void AttentionForward(Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH);

    /// <summary>
    /// Backward of <see cref="AttentionForward"/>: recomputes the probabilities tile by tile. Gradients are F32. Derivation in
    /// docs/derivations/attention.md.
    /// </summary>
    public abstract void AttentionBackward(
        Tensor gradYTHC, Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH, Tensor gradQkvTQC);

    /// <summary>
    /// Appends the keys and values of T new rows to a cache at <paramref name="firstPosition"/> and attends each row to
    /// every position up to its own. A row's result does not depend on how many rows are in the call.
    /// </summary>
    /// <param name="qkvTQC">Fused heads of the new rows.</param>
    /// <param name="cache2GPC">[2G, P, C]: G heads of keys, then G of values; each holds its positions one after another.</param>
    /// <param name="firstPosition">Position of the first new row.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="yTHC">Output.</param>
    public abstract void AttentionWithCache(Tensor qkvTQC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTHC);
}
