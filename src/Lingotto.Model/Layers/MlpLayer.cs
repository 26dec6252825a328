using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>y += (silu(x Wg^T) * (x Wu^T)) Wd^T: a dense layer's MLP, or the shared experts fused into one.</summary>
internal sealed class MlpLayer
{
    private readonly Device _device;
    private readonly Parameter _gateUp;
    private readonly Parameter _down;
    private readonly PreparedWeight _gateUpPrepared;
    private readonly PreparedWeight _downPrepared;

    public MlpLayer(Device device, string prefix, ParameterBlock block, ModelMemory memory)
    {
        _device = device;
        _gateUp = block[prefix + ".gate_up_proj"];
        _down = block[prefix + ".down_proj"];
        _gateUpPrepared = memory.Prepare(device, _gateUp);
        _downPrepared = memory.Prepare(device, _down);
    }

    /// <summary>Gate and up projections are one weight [2F, D], gate first.</summary>
    public static IEnumerable<ParameterDeclaration> Declare(string prefix, int hidden, int width)
    {
        yield return new(prefix + ".gate_up_proj", [2 * width, hidden]);
        yield return new(prefix + ".down_proj", [hidden, width]);
    }

    public void RefreshWeights()
    {
        _device.Refresh(_gateUpPrepared);
        _device.Refresh(_downPrepared);
    }

    public void Forward(Tensor xTD, MlpActivations a, Tensor yTD)
    {
        _device.MatMulSwiGluForward(xTD, default, _gateUpPrepared, a.GateUp, a.Hidden);
        _device.MatMulForward(a.Hidden, _downPrepared, yTD, accumulate: true);
    }

    /// <summary>gradX is added to where asked.</summary>
    public void Backward(Tensor gradYTD, Tensor xTD, MlpActivations a, BackwardBuffers buffers, Tensor gradXTD, bool accumulate)
    {
        Tensor gradHidden = buffers.GradHiddenOf(a.Hidden), gradGateUp = buffers.GradGateUpOf(a.GateUp);
        _device.MatMulBackwardWeight(gradYTD, a.Hidden, _downPrepared, _down.Gradient);
        _device.MatMulSwiGluBackward(gradYTD, default, _downPrepared, a.GateUp, gradHidden, gradGateUp);
        _device.MatMulBackwardWeight(gradGateUp, xTD, _gateUpPrepared, _gateUp.Gradient);
        _device.MatMulBackwardInput(gradGateUp, _gateUpPrepared, gradXTD, accumulate);
    }
}

/// <summary>What an MLP keeps for its backward pass.</summary>
internal sealed class MlpActivations
{
    public MlpActivations(int width, int tokens, Arena arena, DType precision)
    {
        GateUp = arena.Allocate(DType.F32, tokens, 2 * width);
        Hidden = arena.Allocate(precision, tokens, width);
    }

    private MlpActivations(MlpActivations whole, int tokens)
    {
        GateUp = whole.GateUp.Slice(0, tokens);
        Hidden = whole.Hidden.Slice(0, tokens);
    }

    /// <summary>[T, 2F].</summary>
    public Tensor GateUp { get; }

    /// <summary>[T, F], after SwiGLU.</summary>
    public Tensor Hidden { get; }

    public MlpActivations First(int tokens) => new(this, tokens);
}
