using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// logits = (norm(h) * s) W^T, s = 1 or, with NormHead, 1 / (column norm of W + 1e-7), a constant for the backward pass:
/// the same as normalising each hidden column of W over the vocabulary (Ling, compute_logit).
/// </summary>
internal sealed class HeadLayer
{
    public const string BlockName = "head";

    private readonly Device _device;
    private readonly float _epsilon;
    private readonly Parameter _head;
    private readonly PreparedWeight _prepared;
    private readonly Tensor _inverseNormD;

    public HeadLayer(Device device, ModelConfig config, ModelMemory memory)
    {
        _device = device;
        _epsilon = (float)config.RmsNormEps;
        Block = memory.Add(
            BlockName, [new("norm", [config.HiddenSize], ParameterRole.Norm), new("lm_head", [config.VocabSize, config.HiddenSize])]);
        Norm = Block["norm"];
        _head = Block["lm_head"];
        _prepared = memory.Prepare(device, _head);
        _inverseNormD = config.NormHead ? memory.Prepared.Allocate(DType.F32, config.HiddenSize) : default;
    }

    public ParameterBlock Block { get; }

    /// <summary>The norm behind the last layer.</summary>
    public Parameter Norm { get; }

    public void RefreshWeights()
    {
        _device.Enter(Block.Name);
        _device.Refresh(_prepared);
        if (!_inverseNormD.IsAbsent)
        {
            _device.ColumnInverseNorm(_head.Value, _inverseNormD);
        }
    }

    /// <summary>Loss of each row.</summary>
    public void Forward(Tensor hTD, Tensor targetsT, HeadActivations a)
    {
        Normalise(hTD, Norm, a);
        _device.LinearCrossEntropy(a.Input, _prepared, targetsT, 0f, a.Loss, default, default);
    }

    /// <summary>Loss of each row, and its gradient with respect to h.</summary>
    public void ForwardBackward(Tensor hTD, Tensor targetsT, float gradScale, HeadActivations a, Tensor gradHTD) =>
        ForwardBackward(hTD, Norm, targetsT, gradScale, a, gradHTD);

    /// <summary>The same behind another norm.</summary>
    public void ForwardBackward(Tensor hTD, Parameter norm, Tensor targetsT, float gradScale, HeadActivations a, Tensor gradHTD)
    {
        Normalise(hTD, norm, a);
        _device.LinearCrossEntropy(a.Input, _prepared, targetsT, gradScale, a.Loss, a.Input, _head.Gradient);
        if (!_inverseNormD.IsAbsent)
        {
            _device.ScaleColumns(a.Input, _inverseNormD, a.Input);
        }

        _device.RmsNormBackward(a.Input, hTD, norm.Value, a.Rstd, gradHTD, norm.Gradient);
    }

    /// <summary>Logits of each row.</summary>
    public void Logits(Tensor hTD, HeadActivations a, Tensor logitsTV)
    {
        Normalise(hTD, Norm, a);
        _device.MatMulForward(a.Input, _prepared, logitsTV);
    }

    private void Normalise(Tensor hTD, Parameter norm, HeadActivations a)
    {
        _device.Enter(Block.Name);
        _device.RmsNormForward(hTD, norm.Value, _epsilon, a.Input, a.Rstd);
        if (!_inverseNormD.IsAbsent)
        {
            _device.ScaleColumns(a.Input, _inverseNormD, a.Input);
        }
    }
}

/// <summary>Buffers of the head.</summary>
internal sealed class HeadActivations
{
    public HeadActivations(ModelConfig config, int tokens, Arena arena)
    {
        Input = arena.Allocate(DType.F32, tokens, config.HiddenSize);
        Rstd = arena.Allocate(DType.F32, tokens);
        Loss = arena.Allocate(DType.F32, tokens);
        LossSum = arena.Allocate(DType.F32, 1);
    }

    private HeadActivations(HeadActivations whole, int tokens)
    {
        Input = whole.Input.Slice(0, tokens);
        Rstd = whole.Rstd.Slice(0, tokens);
        Loss = whole.Loss.Slice(0, tokens);
        LossSum = whole.LossSum;
    }

    /// <summary>[T, D]: input of the head, then its gradient.</summary>
    public Tensor Input { get; }

    /// <summary>[T].</summary>
    public Tensor Rstd { get; }

    /// <summary>[T], nats.</summary>
    public Tensor Loss { get; }

    /// <summary>[1].</summary>
    public Tensor LossSum { get; }

    public HeadActivations First(int tokens) => new(this, tokens);
}
