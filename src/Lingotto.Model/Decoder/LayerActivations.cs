using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>What a layer keeps for its backward pass; one set serves all layers when the model only runs.</summary>
internal sealed class LayerActivations
{
    /// <param name="config">The model.</param>
    /// <param name="experts">Holds what a layer of experts keeps.</param>
    /// <param name="dense">Holds what a dense layer keeps.</param>
    /// <param name="dispatcher">Allocates the routing.</param>
    /// <param name="tokens">T.</param>
    /// <param name="arena">Its memory.</param>
    /// <param name="precision">Storage of what only products and attention read.</param>
    /// <param name="wideQkv">See <see cref="AttentionActivations"/>.</param>
    public LayerActivations(
        ModelConfig config, bool experts, bool dense, ITokenDispatcher dispatcher, int tokens, Arena arena, DType precision = DType.F32,
        Tensor wideQkv = default)
    {
        AttentionInput = arena.Allocate(precision, tokens, config.HiddenSize);
        AttentionRstd = arena.Allocate(DType.F32, tokens);
        Middle = arena.Allocate(DType.F32, tokens, config.HiddenSize);
        FeedForwardInput = arena.Allocate(precision, tokens, config.HiddenSize);
        FeedForwardRstd = arena.Allocate(DType.F32, tokens);
        Output = arena.Allocate(DType.F32, tokens, config.HiddenSize);
        Attention = new AttentionActivations(config, tokens, arena, precision, wideQkv);
        Moe = experts ? new MoeActivations(config, dispatcher, tokens, arena, precision) : null;
        Mlp = dense ? new MlpActivations(config.IntermediateSize, tokens, arena, precision) : null;
    }

    private LayerActivations(LayerActivations whole, int tokens)
    {
        AttentionInput = whole.AttentionInput.Slice(0, tokens);
        AttentionRstd = whole.AttentionRstd.Slice(0, tokens);
        Middle = whole.Middle.Slice(0, tokens);
        FeedForwardInput = whole.FeedForwardInput.Slice(0, tokens);
        FeedForwardRstd = whole.FeedForwardRstd.Slice(0, tokens);
        Output = whole.Output.Slice(0, tokens);
        Attention = whole.Attention.First(tokens);
        Moe = whole.Moe?.First(tokens);
        Mlp = whole.Mlp?.First(tokens);
    }

    /// <summary>[T, D]: norm of the layer's input.</summary>
    public Tensor AttentionInput { get; }

    /// <summary>[T].</summary>
    public Tensor AttentionRstd { get; }

    /// <summary>[T, D]: residual stream after attention.</summary>
    public Tensor Middle { get; }

    /// <summary>[T, D]: norm of Middle.</summary>
    public Tensor FeedForwardInput { get; }

    /// <summary>[T].</summary>
    public Tensor FeedForwardRstd { get; }

    /// <summary>[T, D]: residual stream after the layer.</summary>
    public Tensor Output { get; }

    public AttentionActivations Attention { get; }

    public MoeActivations? Moe { get; }

    public MlpActivations? Mlp { get; }

    public LayerActivations First(int tokens) => new(this, tokens);
}
