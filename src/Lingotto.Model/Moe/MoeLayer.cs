using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// y += sum over the chosen experts e of w_e * E_e(x), plus the shared experts: fine-grained experts, dropless
/// (Ling report, section 2; Dai et al., DeepSeekMoE, 2024).
/// </summary>
internal sealed class MoeLayer
{
    private readonly Device _device;
    private readonly ITokenDispatcher _dispatcher;
    private readonly RouterShape _shape;
    private readonly int _layer;
    private readonly Parameter _gate;
    private readonly Parameter? _bias;
    private readonly Parameter? _logitStatistics;
    private readonly Parameter _gateUp;
    private readonly Parameter _down;
    private readonly MlpLayer? _shared;
    private readonly PreparedWeight _gatePrepared;
    private readonly PreparedWeight _gateUpPrepared;
    private readonly PreparedWeight _downPrepared;

    public MoeLayer(
        Device device, ModelConfig config, int layer, ITokenDispatcher dispatcher, ParameterBlock block, ModelMemory memory)
    {
        _device = device;
        _dispatcher = dispatcher;
        _layer = layer;
        _shape = ShapeOf(config);
        _gate = block["mlp.gate"];
        _bias = config.MoeRouterEnableExpertBias ? block["mlp.gate.expert_bias"] : null;
        _logitStatistics = memory.Options.IsTrained ? block[LogitStatistics] : null;
        _gateUp = block["mlp.experts.gate_up_proj"];
        _down = block["mlp.experts.down_proj"];
        _gatePrepared = memory.Prepare(device, _gate, DType.F32);
        _gateUpPrepared = memory.Prepare(device, _gateUp);
        _downPrepared = memory.Prepare(device, _down);
        _shared = config.SharedExpertIntermediateSize > 0 ? new MlpLayer(device, "mlp.shared_experts", block, memory) : null;
    }

    /// <summary>Running mean and mean square of the raw router logits: state of routing warmup, not of the model.</summary>
    public const string LogitStatistics = "mlp.gate.logit_statistics";

    public static RouterShape ShapeOf(ModelConfig config) => new(
        config.ScoreFunction == ScoreFunction.Sigmoid ? RouterScore.Sigmoid : RouterScore.Softmax, config.NumExperts,
        config.NumExpertsPerTok, config.NormTopkProb && config.NumExpertsPerTok > 1, (float)config.RoutedScalingFactor,
        config.NGroup, config.TopkGroup);

    /// <summary>The router's weights are those of all experts, whatever experts are local.</summary>
    public static IEnumerable<ParameterDeclaration> Declare(ModelConfig config, ModelOptions options)
    {
        int experts = config.NumExperts, local = LocalExperts(config, options).Count, hidden = config.HiddenSize,
            width = config.MoeIntermediateSize;
        yield return new("mlp.gate", [experts, hidden]);
        yield return new("mlp.experts.gate_up_proj", [local, 2 * width, hidden]);
        yield return new("mlp.experts.down_proj", [local, hidden, width]);
        if (config.MoeRouterEnableExpertBias)
        {
            yield return new("mlp.gate.expert_bias", [experts], ParameterRole.Buffer);
        }

        if (options.IsTrained)
        {
            yield return new(LogitStatistics, [2], ParameterRole.Buffer);
        }

        if (config.SharedExpertIntermediateSize > 0)
        {
            foreach (ParameterDeclaration shared in MlpLayer.Declare("mlp.shared_experts", hidden, config.SharedExpertIntermediateSize))
            {
                yield return shared;
            }
        }
    }

    /// <summary>The experts whose weights are here, numbered globally.</summary>
    public static (int First, int Count) LocalExperts(ModelConfig config, ModelOptions options) => options.Experts
        ?? (0, config.NumExperts);

    public void RefreshWeights()
    {
        _device.Refresh(_gatePrepared);
        _device.Refresh(_gateUpPrepared);
        _device.Refresh(_downPrepared);
        _shared?.RefreshWeights();
    }

    public void Forward(Tensor xTD, RouterTraining? training, MoeActivations a, Tensor yTD)
    {
        _device.MatMulForward(xTD, _gatePrepared, a.Logits);
        if (training is { WarmupAlpha: < 1 } warmup)
        {
            _device.RoutingWarmup(
                a.Logits, _logitStatistics!.Value, warmup.WarmupAlpha, warmup.WarmupRate, warmup.Random,
                ((ulong)warmup.Step << 16) | (uint)_layer, warmup.FirstToken);
        }

        _device.RouterForward(a.Logits, _bias?.Value ?? default, _shape, a.Scores, a.TopKExpertIds, a.TopKWeights);
        _dispatcher.Dispatch(xTD, a.TopKExpertIds, a.Dispatch);
        RoutedRows rows = a.Dispatch.Rows;
        _device.MatMulSwiGluForward(a.Dispatch.Source, rows, _gateUpPrepared, a.GateUp, a.Hidden);
        _device.GroupedMatMulForward(a.Hidden, rows with { TokenOfRowR = default }, _downPrepared, a.ExpertOutput);
        _dispatcher.Combine(a.ExpertOutput, a.TopKWeights, a.Dispatch, yTD);
        _shared?.Forward(xTD, a.Shared!, yTD);
        if (training is not null)
        {
            _device.RouterLosses(a.Logits, a.Scores, a.Dispatch.TokensPerExpert, _shape, a.Losses);
        }
    }

    /// <summary>Overwrites ExpertOutput with the gradients of the rows that the experts read.</summary>
    public void Backward(Tensor gradYTD, Tensor xTD, in RouterTraining training, MoeActivations a, BackwardBuffers buffers, Tensor gradXTD)
    {
        RoutedRows rows = a.Dispatch.Rows, sorted = rows with { TokenOfRowR = default };
        Tensor gradRows = buffers.GradRows, gradHidden = buffers.GradHiddenOf(a.Hidden), gradGateUp = buffers.GradGateUpOf(a.GateUp);
        _dispatcher.CombineBackward(gradYTD, a.ExpertOutput, a.TopKWeights, a.Dispatch, gradRows, buffers.GradTopKWeights);
        _device.GroupedMatMulBackwardWeight(gradRows, a.Hidden, sorted, _downPrepared, _down.Gradient);
        _device.MatMulSwiGluBackward(gradRows, sorted, _downPrepared, a.GateUp, gradHidden, gradGateUp);
        _device.GroupedMatMulBackwardWeight(gradGateUp, a.Dispatch.Source, rows, _gateUpPrepared, _gateUp.Gradient);
        _device.GroupedMatMulBackwardInput(gradGateUp, rows, _gateUpPrepared, a.ExpertOutput);

        _device.RouterBackward(
            buffers.GradTopKWeights, a.Logits, a.Scores, a.TopKExpertIds, a.TopKWeights, a.Dispatch.TokensPerExpert, _shape,
            training.BalanceCoefficient, training.ZCoefficient, buffers.GradLogits);
        if (training.WarmupAlpha < 1)
        {
            _device.ScaleColumns(buffers.GradLogits, buffers.WarmupAlpha, buffers.GradLogits);
        }

        _device.MatMulBackwardWeight(buffers.GradLogits, xTD, _gatePrepared, _gate.Gradient);
        _device.MatMulBackwardInput(buffers.GradLogits, _gatePrepared, gradXTD);
        _dispatcher.DispatchBackward(a.ExpertOutput, a.Dispatch, gradXTD);
        _shared?.Backward(gradYTD, xTD, a.Shared!, buffers, gradXTD, accumulate: true);
    }

    /// <summary>Moves the expert bias against the load of the last step (Ling 2.0).</summary>
    public void UpdateExpertBias(Tensor tokensPerExpertE, float rate)
    {
        if (_bias is not null)
        {
            _device.ExpertBiasUpdate(tokensPerExpertE, rate, _bias.Value);
        }
    }
}

/// <summary>What a mixture of experts keeps for its backward pass.</summary>
internal sealed class MoeActivations
{
    public MoeActivations(ModelConfig config, ITokenDispatcher dispatcher, int tokens, Arena arena, DType precision)
    {
        int experts = config.NumExperts, chosen = config.NumExpertsPerTok, width = config.MoeIntermediateSize;
        Logits = arena.Allocate(DType.F32, tokens, experts);
        Losses = arena.Allocate(DType.F32, 2);
        Scores = arena.Allocate(DType.F32, tokens, experts);
        TopKExpertIds = arena.Allocate(DType.I32, tokens, chosen);
        TopKWeights = arena.Allocate(DType.F32, tokens, chosen);
        Dispatch = dispatcher.Allocate(config, tokens, arena, precision);
        GateUp = arena.Allocate(DType.F32, tokens * chosen, 2 * width);
        Hidden = arena.Allocate(precision, tokens * chosen, width);
        ExpertOutput = arena.Allocate(DType.F32, tokens * chosen, config.HiddenSize);
        Shared = config.SharedExpertIntermediateSize > 0
            ? new MlpActivations(config.SharedExpertIntermediateSize, tokens, arena, precision)
            : null;
    }

    private MoeActivations(MoeActivations whole, int tokens)
    {
        int rows = tokens * whole.TopKExpertIds.Columns;
        Logits = whole.Logits.Slice(0, tokens);
        Losses = whole.Losses;
        Scores = whole.Scores.Slice(0, tokens);
        TopKExpertIds = whole.TopKExpertIds.Slice(0, tokens);
        TopKWeights = whole.TopKWeights.Slice(0, tokens);
        Dispatch = whole.Dispatch.First(tokens);
        GateUp = whole.GateUp.Slice(0, rows);
        Hidden = whole.Hidden.Slice(0, rows);
        ExpertOutput = whole.ExpertOutput.Slice(0, rows);
        Shared = whole.Shared?.First(tokens);
    }

    /// <summary>[T, E]: what the router saw, warmup noise included.</summary>
    public Tensor Logits { get; }

    /// <summary>[2]: balance and z-loss of the last micro-batch.</summary>
    public Tensor Losses { get; }

    /// <summary>[T, E].</summary>
    public Tensor Scores { get; }

    /// <summary>I32[T, S].</summary>
    public Tensor TopKExpertIds { get; }

    /// <summary>[T, S].</summary>
    public Tensor TopKWeights { get; }

    public DispatchActivations Dispatch { get; }

    /// <summary>[R, 2F].</summary>
    public Tensor GateUp { get; }

    /// <summary>[R, F].</summary>
    public Tensor Hidden { get; }

    /// <summary>[R, D].</summary>
    public Tensor ExpertOutput { get; }

    public MlpActivations? Shared { get; }

    public MoeActivations First(int tokens) => new(this, tokens);
}
