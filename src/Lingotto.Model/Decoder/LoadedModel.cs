using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// The weights of a model on a device, apart from sequences and caches: training, evaluation, samples and generation share one.
/// </summary>
public sealed class LoadedModel : IDisposable
{
    private readonly ModelMemory _memory;

    /// <summary>A model with zeroed weights; call <see cref="Initialize"/> or load, then <see cref="RefreshWeights"/>.</summary>
    /// <param name="device">Where it runs.</param>
    /// <param name="config">The model.</param>
    /// <param name="options">Precision, and whether the weights have gradients; null for F32 without.</param>
    /// <exception cref="ModelConfigException">The decoder cannot run this model.</exception>
    /// <exception cref="OutOfDeviceMemoryException">The weights do not fit.</exception>
    public LoadedModel(Device device, ModelConfig config, ModelOptions? options = null)
    {
        DecoderSupport.Require(config);
        Device = device;
        using ModelMemory plan = Measure(device, config, options ?? new ModelOptions(), out _);
        _memory = ModelMemory.Allocate(device, plan);
        Stage = new DecoderStage(device, config, _memory);
    }

    /// <summary>The model.</summary>
    public ModelConfig Config => Stage.Config;

    /// <summary>Where it runs.</summary>
    public Device Device { get; }

    /// <summary>Every parameter, in global order: embedding, layers, MTP, head.</summary>
    public IReadOnlyList<ParameterBlock> Blocks => Stage.Blocks;

    /// <summary>Bytes of weights, gradients and prepared weights.</summary>
    public long Bytes => _memory.Bytes;

    internal DecoderStage Stage { get; }

    /// <summary>Draws fresh weights: a function of the seed and of each parameter's place alone.</summary>
    public void Initialize(ulong seed) => WeightInitialization.Draw(Device, Blocks, Config.InitializerRange, seed);

    /// <summary>Brings prepared weights up to date; after every change of the parameters.</summary>
    public void RefreshWeights() => Stage.RefreshWeights();

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    /// <summary>The memory of the weights, without taking it, and a stage whose tensors have only shapes.</summary>
    internal static ModelMemory Measure(Device device, ModelConfig config, ModelOptions options, out DecoderStage shape)
    {
        ModelMemory plan = ModelMemory.Measure(options);
        shape = new DecoderStage(device, config, plan);
        return plan;
    }
}
