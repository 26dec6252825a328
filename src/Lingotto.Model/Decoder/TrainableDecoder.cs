using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// A decoder that learns: forward and backward of one micro-batch of T tokens. Gradients add up over micro-batches until
/// the optimizer zeroes them.
/// </summary>
public sealed class TrainableDecoder : IDisposable
{
    private readonly Device _device;
    private readonly Arena _arena;
    private readonly DecoderStage _stage;
    private readonly StageActivations _activations;
    private readonly BackwardBuffers _buffers;
    private readonly DecoderLayer[] _moeLayers;

    /// <summary>
    /// A decoder with zeroed weights; call <see cref="LoadedModel.Initialize"/> or load, then <see cref="RefreshWeights"/>.
    /// </summary>
    /// <param name="device">Where it runs.</param>
    /// <param name="config">The model; every position below <paramref name="sequenceLength"/> is used.</param>
    /// <param name="sequences">Sequences of a micro-batch.</param>
    /// <param name="sequenceLength">Tokens of a sequence.</param>
    /// <param name="precision">Of matmuls and attention, F32 or BF16; the router's are always F32.</param>
    /// <exception cref="ModelConfigException">The decoder cannot run this model.</exception>
    /// <exception cref="OutOfDeviceMemoryException">It does not fit.</exception>
    public TrainableDecoder(Device device, ModelConfig config, int sequences, int sequenceLength, DType precision = DType.F32)
    {
        _device = device;
        Model = new LoadedModel(device, config, new ModelOptions { Precision = precision, IsTrained = true });
        try
        {
            _stage = Model.Stage;
            _moeLayers = [.. _stage.MoeLayers.Select(_stage.LayerAt)];
            using Arena plan = Arena.Measure();
            Allocate(device, _stage, sequences, sequenceLength, plan);
            _arena = new Arena(device, plan.Used);
            (_activations, _buffers, Statistics) = Allocate(device, _stage, sequences, sequenceLength, _arena);
        }
        catch
        {
            Model.Dispose();
            throw;
        }

        _activations.UploadConstants(device);
    }

    /// <summary>The weights, which evaluation and samples share.</summary>
    public LoadedModel Model { get; }

    /// <summary>The model's configuration.</summary>
    public ModelConfig Config => _stage.Config;

    /// <summary>Tokens of a micro-batch.</summary>
    public int Tokens => (int)Batch.Ids.Length;

    /// <summary>The micro-batch that the next pass reads.</summary>
    public TokenBatch Batch => _activations.Batch;

    /// <summary>Every parameter, in global order.</summary>
    public IReadOnlyList<ParameterBlock> Blocks => _stage.Blocks;

    /// <summary>What <see cref="ComputeGradients"/> adds up besides gradients.</summary>
    public StepStatistics Statistics { get; }

    /// <summary>Bytes of weights, gradients and activations.</summary>
    public long Bytes => Model.Bytes + _arena.Used;

    /// <summary>Layers that have experts, the MTP layer last.</summary>
    public IEnumerable<int> MoeLayers => _stage.MoeLayers;

    /// <summary>The memory that a decoder of this shape takes, without taking it.</summary>
    public static DecoderPlan Plan(Device device, ModelConfig config, int sequences, int sequenceLength, DType precision = DType.F32)
    {
        DecoderSupport.Require(config);
        var options = new ModelOptions { Precision = precision, IsTrained = true };
        using ModelMemory model = LoadedModel.Measure(device, config, options, out DecoderStage shape);
        using Arena activations = Arena.Measure();
        Allocate(device, shape, sequences, sequenceLength, activations);
        return new DecoderPlan(model.Weights.Used, model.Bytes + activations.Used);
    }

    /// <summary>Brings prepared weights up to date; after every change of the parameters.</summary>
    public void RefreshWeights() => Model.RefreshWeights();

    /// <summary>Sum of the losses of the batch's targets, in nats, without gradients.</summary>
    public float Loss()
    {
        HeadActivations head = _activations.Head!;
        _stage.Forward(_activations, null);
        _stage.Head!.Forward(_activations.Output, Batch.Targets, head);
        Span<float> sum = stackalloc float[1];
        _device.Sum(head.Loss, head.LossSum);
        _device.Download(head.LossSum, sum);
        return sum[0];
    }

    /// <summary>
    /// Adds to the parameters' gradients those of gradScale times the sum of the losses of the batch's targets, plus the router losses,
    /// plus mtpWeight times gradScale times the MTP losses; adds the losses and the tokens per expert to <see cref="Statistics"/>.
    /// Nothing is read back from the device.
    /// </summary>
    public void ComputeGradients(float gradScale, in RouterTraining router, float mtpWeight = 0)
    {
        _stage.Forward(_activations, router);
        _stage.Backward(_activations, router, gradScale, mtpWeight, _buffers);
        Statistics.Add(_activations);
    }

    /// <summary>
    /// Moves the expert biases against the load of a whole update, as <see cref="Statistics"/> has it (Ling 2.0); nothing for models
    /// without biases.
    /// </summary>
    public void UpdateExpertBiases(float rate)
    {
        if (!Config.MoeRouterEnableExpertBias)
        {
            return;
        }

        for (int i = 0; i < _moeLayers.Length; i++)
        {
            _device.Enter(_moeLayers[i].Block.Name);
            _moeLayers[i].Moe!.UpdateExpertBias(Statistics.LoadOf(i), rate);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _arena.Dispose();
        Model.Dispose();
    }

    /// <summary>Logits of every row of the batch, [T, V].</summary>
    internal void Logits(Tensor logitsTV)
    {
        _stage.Forward(_activations, null);
        _stage.Head!.Logits(_activations.Output, _activations.Head!, logitsTV);
    }

    private static (StageActivations Activations, BackwardBuffers Buffers, StepStatistics Statistics) Allocate(
        Device device, DecoderStage stage, int sequences, int sequenceLength, Arena arena)
    {
        var buffers = new BackwardBuffers(stage.Config, checked(sequences * sequenceLength), arena, stage.Precision);
        return (new StageActivations(stage, sequences, sequenceLength, arena, buffers.GradQkv), buffers,
            new StepStatistics(device, stage, arena));
    }
}

/// <summary>Memory that a trainable decoder takes.</summary>
/// <param name="WeightBytes">Of the weights alone.</param>
/// <param name="Bytes">Of weights, gradients, prepared weights and activations.</param>
public sealed record DecoderPlan(long WeightBytes, long Bytes);
