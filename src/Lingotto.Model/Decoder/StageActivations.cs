using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>What one micro-batch in flight keeps in one stage between its forward and its backward pass.</summary>
internal sealed class StageActivations
{
    /// <param name="stage">The layers.</param>
    /// <param name="sequences">Sequences of the micro-batch.</param>
    /// <param name="sequenceLength">Tokens of a sequence.</param>
    /// <param name="arena">Memory of the activations.</param>
    /// <param name="wideQkv">Gradient buffer of the heads, which holds heads in F32 between two layers
    /// (<see cref="AttentionActivations"/>).</param>
    public StageActivations(DecoderStage stage, int sequences, int sequenceLength, Arena arena, Tensor wideQkv)
    {
        int tokens = checked(sequences * sequenceLength);
        Batch = new TokenBatch(stage.Config, tokens, sequenceLength, arena, stage.Mtp is not null);
        Input = arena.Allocate(DType.F32, tokens, stage.Config.HiddenSize);
        Layers =
        [
            .. stage.Layers.Select(layer => new LayerActivations(
                stage.Config, layer.Moe is not null, layer.Moe is null, stage.Dispatcher, tokens, arena, stage.Precision, wideQkv)),
        ];
        Head = stage.Head is null ? null : new HeadActivations(stage.Config, tokens, arena);
        Mtp = stage.Mtp is null ? null : new MtpActivations(stage.Config, stage.Dispatcher, tokens, arena, stage.Precision, wideQkv);
        Moe = [.. Layers.Append(Mtp?.Layer).Select(layer => layer?.Moe).OfType<MoeActivations>()];
    }

    public TokenBatch Batch { get; }

    /// <summary>Activations of the layers with experts, the MTP layer last.</summary>
    public MoeActivations[] Moe { get; }

    /// <summary>[T, D]: embedded tokens, or what the stage before has sent.</summary>
    public Tensor Input { get; }

    public LayerActivations[] Layers { get; }

    /// <summary>Null unless the stage is the last.</summary>
    public HeadActivations? Head { get; }

    /// <summary>Null unless the stage has the MTP layer.</summary>
    public MtpActivations? Mtp { get; }

    /// <summary>[T, D]: what the stage sends to the next one.</summary>
    public Tensor Output => Layers[^1].Output;

    /// <summary>[T, D]: input of the i-th layer of the stage.</summary>
    public Tensor InputOf(int i) => i == 0 ? Input : Layers[i - 1].Output;

    /// <summary>Fills constant tables; once, after the memory is real.</summary>
    public void UploadConstants(Device device)
    {
        Batch.Rotary.Upload(device);
        Mtp?.UploadConstants(device);
    }
}
