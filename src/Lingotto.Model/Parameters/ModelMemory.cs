using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>
/// The arenas of a model's weights, by purpose. The code that allocates runs on measuring arenas first, so the plan is exact.
/// </summary>
internal sealed class ModelMemory : IDisposable
{
    private ModelMemory(ModelOptions options, Arena weights, Arena? gradients, Arena prepared) =>
        (Options, Weights, Gradients, Prepared) = (options, weights, gradients, prepared);

    public ModelOptions Options { get; }

    /// <summary>Parameters.</summary>
    public Arena Weights { get; }

    /// <summary>Gradients of the parameters; null when the model only runs.</summary>
    public Arena? Gradients { get; }

    /// <summary>Weights in the device's own layout.</summary>
    public Arena Prepared { get; }

    /// <summary>Arenas that only count.</summary>
    public static ModelMemory Measure(ModelOptions options) =>
        new(options, Arena.Measure(), options.IsTrained ? Arena.Measure() : null, Arena.Measure());

    /// <summary>Real arenas of exactly the measured sizes.</summary>
    public static ModelMemory Allocate(Device device, ModelMemory plan) => new(
        plan.Options, new Arena(device, plan.Weights.Used), plan.Gradients is null ? null : new Arena(device, plan.Gradients.Used),
        new Arena(device, plan.Prepared.Used));

    /// <summary>Bytes handed out in all arenas.</summary>
    public long Bytes => Weights.Used + (Gradients?.Used ?? 0) + Prepared.Used;

    /// <summary>Places a block and takes memory for it.</summary>
    public ParameterBlock Add(string name, IEnumerable<ParameterDeclaration> declared) =>
        Options.Storage.Allocate(new ParameterLayout(name, declared, Options.IsTrained), this);

    /// <summary>Lays a weight out for matmuls in the model's precision, or in <paramref name="precision"/>.</summary>
    public PreparedWeight Prepare(Device device, Parameter weight, DType? precision = null) =>
        device.Prepare(weight.Value, Prepared, weight.IsTrained, precision ?? Options.Precision);

    public void Dispose()
    {
        Weights.Dispose();
        Gradients?.Dispose();
        Prepared.Dispose();
    }
}
