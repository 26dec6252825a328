using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// y += attention(rope(norm(x Wqkv^T))) Wo^T: grouped-query attention over fused heads, all queries, then keys, then
/// values, as Ling stores them (query_key_value, dense); QK-norm and partial rotation in Ling 2.0.
/// </summary>
internal sealed class AttentionLayer
{
    private readonly Device _device;
    private readonly AttentionShape _shape;
    private readonly Compute.RotaryLayout _layout;
    private readonly float _epsilon;
    private readonly Parameter _qkv;
    private readonly Parameter _dense;
    private readonly Parameter? _queryNorm;
    private readonly Parameter? _keyNorm;
    private readonly PreparedWeight _qkvPrepared;
    private readonly PreparedWeight _densePrepared;

    public AttentionLayer(Device device, ModelConfig config, ParameterBlock block, ModelMemory memory)
    {
        _device = device;
        _shape = new AttentionShape(config.NumAttentionHeads, config.NumKeyValueHeads, config.HeadDim, SequenceLength: 0);
        _layout = config.RotaryLayout == Formats.RotaryLayout.Half ? Compute.RotaryLayout.Half : Compute.RotaryLayout.Interleaved;
        _epsilon = (float)config.RmsNormEps;
        _qkv = block["attention.query_key_value"];
        _dense = block["attention.dense"];
        if (config.UseQkNorm)
        {
            _queryNorm = block["attention.query_layernorm"];
            _keyNorm = block["attention.key_layernorm"];
        }

        _qkvPrepared = memory.Prepare(device, _qkv);
        _densePrepared = memory.Prepare(device, _dense);
    }

    public static IEnumerable<ParameterDeclaration> Declare(ModelConfig config)
    {
        int queries = config.NumAttentionHeads * config.HeadDim;
        int fused = queries + 2 * config.NumKeyValueHeads * config.HeadDim;
        yield return new("attention.query_key_value", [fused, config.HiddenSize]);
        yield return new("attention.dense", [config.HiddenSize, queries]);
        if (config.UseQkNorm)
        {
            yield return new("attention.query_layernorm", [config.HeadDim], ParameterRole.Norm);
            yield return new("attention.key_layernorm", [config.HeadDim], ParameterRole.Norm);
        }
    }

    public void RefreshWeights()
    {
        _device.Refresh(_qkvPrepared);
        _device.Refresh(_densePrepared);
    }

    public void Forward(Tensor xTD, TokenBatch batch, AttentionActivations a, Tensor yTD)
    {
        ProjectAndRotate(xTD, batch.Positions, batch.Rotary, a);
        _device.AttentionForward(a.Qkv, batch.DocumentStarts, _shape with { SequenceLength = batch.SequenceLength }, a.Output, a.LogSumExp);
        _device.MatMulForward(a.Output, _densePrepared, yTD, accumulate: true);
    }

    /// <summary>Forward for new tokens of one sequence whose earlier keys and values are in <paramref name="cache2GPC"/>.</summary>
    public void ForwardCached(Tensor xTD, in CachedRows rows, Tensor cache2GPC, AttentionActivations a, Tensor yTD)
    {
        ProjectAndRotate(xTD, rows.Positions, rows.Rotary, a);
        _device.AttentionWithCache(a.Qkv, cache2GPC, rows.FirstPosition, _shape, a.Output);
        _device.MatMulForward(a.Output, _densePrepared, yTD, accumulate: true);
    }

    public void Backward(Tensor gradYTD, Tensor xTD, TokenBatch batch, AttentionActivations a, BackwardBuffers buffers, Tensor gradXTD)
    {
        _device.MatMulBackwardWeight(gradYTD, a.Output, _densePrepared, _dense.Gradient);
        _device.MatMulBackwardInput(gradYTD, _densePrepared, buffers.GradAttention);
        _device.AttentionBackward(
            buffers.GradAttention, a.Qkv, batch.DocumentStarts, _shape with { SequenceLength = batch.SequenceLength }, a.Output,
            a.LogSumExp,
            buffers.GradQkv);
        _device.RopeBackward(buffers.GradQkv, batch.Positions, batch.Rotary.CosSin, _shape, _layout);
        if (_queryNorm is not null)
        {
            _device.QkNormBackward(
                buffers.GradQkv, a.Projected, _queryNorm.Value, _keyNorm!.Value, _shape, a.Rstd, buffers.GradQkv,
                _queryNorm.Gradient, _keyNorm.Gradient);
        }

        _device.MatMulBackwardWeight(Flat(buffers.GradQkv), xTD, _qkvPrepared, _qkv.Gradient);
        _device.MatMulBackwardInput(Flat(buffers.GradQkv), _qkvPrepared, gradXTD);
    }

    private void ProjectAndRotate(Tensor xTD, Tensor positionsT, RotaryTable rotary, AttentionActivations a)
    {
        _device.MatMulForward(xTD, _qkvPrepared, Flat(a.Projected));
        if (_queryNorm is not null)
        {
            _device.QkNormForward(a.Projected, _queryNorm.Value, _keyNorm!.Value, _epsilon, _shape, a.Normalised, a.Rstd);
        }

        _device.RopeForward(a.Normalised, positionsT, rotary.CosSin, _shape, _layout, a.Qkv);
    }

    private static Tensor Flat(Tensor qkvTHC) => qkvTHC.Reshape(qkvTHC[0], qkvTHC[1] * qkvTHC[2]);
}

/// <summary>What attention keeps for its backward pass.</summary>
internal sealed class AttentionActivations
{
    /// <param name="config">The model.</param>
    /// <param name="tokens">T.</param>
    /// <param name="arena">Its memory.</param>
    /// <param name="precision">Storage of what attention reads and writes.</param>
    /// <param name="wideQkv">[T, H, C] in F32 that nobody needs between two layers, for heads that are not kept so; absent in F32.</param>
    public AttentionActivations(ModelConfig config, int tokens, Arena arena, DType precision, Tensor wideQkv)
    {
        int fused = config.NumAttentionHeads + 2 * config.NumKeyValueHeads;
        Qkv = arena.Allocate(precision, tokens, fused, config.HeadDim);
        Normalised = precision == DType.F32 ? Qkv : wideQkv;
        Projected = Normalised;
        if (config.UseQkNorm)
        {
            Projected = arena.Allocate(DType.F32, tokens, fused, config.HeadDim);
            Rstd = arena.Allocate(DType.F32, tokens, config.NumAttentionHeads + config.NumKeyValueHeads);
        }

        Output = arena.Allocate(precision, tokens, config.NumAttentionHeads * config.HeadDim);
        LogSumExp = arena.Allocate(DType.F32, tokens, config.NumAttentionHeads);
    }

    private AttentionActivations(AttentionActivations whole, int tokens)
    {
        Qkv = whole.Qkv.Slice(0, tokens);
        Normalised = whole.Normalised.Slice(0, tokens);
        Projected = whole.Projected.Slice(0, tokens);
        Rstd = whole.Rstd.IsAbsent ? default : whole.Rstd.Slice(0, tokens);
        Output = whole.Output.Slice(0, tokens);
        LogSumExp = whole.LogSumExp.Slice(0, tokens);
    }

    /// <summary>[T, H, C] as projected, F32; kept for backward only with QK-norm.</summary>
    public Tensor Projected { get; }

    /// <summary>[T, H, C] after QK-norm, F32; the same as Projected without it.</summary>
    public Tensor Normalised { get; }

    /// <summary>[T, H, C], normalised and turned.</summary>
    public Tensor Qkv { get; }

    /// <summary>[T, A + G].</summary>
    public Tensor Rstd { get; }

    /// <summary>[T, A * C].</summary>
    public Tensor Output { get; }

    /// <summary>[T, A].</summary>
    public Tensor LogSumExp { get; }

    public AttentionActivations First(int tokens) => new(this, tokens);
}
