using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>What the layer holds between and within its passes.</summary>
internal sealed class MtpActivations
{
    private readonly int _tokens;

    public MtpActivations(ModelConfig config, ITokenDispatcher dispatcher, int tokens, Arena arena, DType precision, Tensor wideQkv)
    {
        int hidden = config.HiddenSize;
        _tokens = tokens;
        Embedded = arena.Allocate(DType.F32, tokens, hidden);
        Hidden = arena.Allocate(DType.F32, tokens, hidden);
        DecoderRstd = arena.Allocate(DType.F32, tokens);
        EmbeddedRstd = arena.Allocate(DType.F32, tokens);
        HiddenRstd = arena.Allocate(DType.F32, tokens);
        Stacked = arena.Allocate(DType.F32, 2 * tokens, hidden);
        JoinedRows = arena.Allocate(DType.F32, 2 * tokens, hidden);
        PairOrder = arena.Allocate(DType.I32, 2 * tokens);
        Input = arena.Allocate(DType.F32, tokens, hidden);
        Layer = new LayerActivations(config, experts: true, dense: false, dispatcher, tokens, arena, precision, wideQkv);
        LossSum = arena.Allocate(DType.F32, 1);
    }

    /// <summary>[T, D]: embedding of the next token.</summary>
    public Tensor Embedded { get; }

    /// <summary>[T, D]: the decoder's normed output.</summary>
    public Tensor Hidden { get; }

    /// <summary>[T].</summary>
    public Tensor DecoderRstd { get; }

    /// <summary>[T].</summary>
    public Tensor EmbeddedRstd { get; }

    /// <summary>[T].</summary>
    public Tensor HiddenRstd { get; }

    /// <summary>[2T, D]: normed embeddings above normed outputs; then their gradients.</summary>
    public Tensor Stacked { get; }

    public Tensor Above => Stacked.Slice(0, _tokens);

    public Tensor Below => Stacked.Slice(_tokens, _tokens);

    /// <summary>[2T, D]: embedding and output of each token side by side.</summary>
    public Tensor JoinedRows { get; }

    /// <summary>[T, 2D]: the same memory, a token a row.</summary>
    public Tensor Joined => JoinedRows.Reshape(_tokens, 2 * JoinedRows.Columns);

    /// <summary>I32[2T]: 0, T, 1, T + 1, and so on: rows of Stacked in the order of JoinedRows.</summary>
    public Tensor PairOrder { get; }

    /// <summary>[T, D]: input of the layer.</summary>
    public Tensor Input { get; }

    public LayerActivations Layer { get; }

    /// <summary>[1], nats.</summary>
    public Tensor LossSum { get; }

    /// <summary>[T, D]: gradient of the decoder's last output.</summary>
    public Tensor GradHidden => Below;

    /// <summary>Fills the constant order; once, after the memory is real.</summary>
    public void UploadConstants(Device device) =>
        device.Upload<int>([.. Enumerable.Range(0, 2 * _tokens).Select(row => row / 2 + row % 2 * _tokens)], PairOrder);
}
