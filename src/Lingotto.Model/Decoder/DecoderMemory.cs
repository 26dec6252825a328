using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>The arenas of a decoder, by purpose. Built by measuring first, so the plan is exact.</summary>
public sealed class DecoderMemory : IDisposable
{
    private DecoderMemory(DType precision, Arena weights, Arena? gradients, Arena prepared, Arena activations) =>
        (Precision, Weights, Gradients, Prepared, Activations) = (precision, weights, gradients, prepared, activations);

    /// <summary>F32 or BF16: how products are computed and how what only products and attention read is stored.</summary>
    public DType Precision { get; }

    /// <summary>Parameters.</summary>
    public Arena Weights { get; }

    /// <summary>Their gradients; null when the model only runs.</summary>
    public Arena? Gradients { get; }

    /// <summary>Weights in the device's own layout.</summary>
    public Arena Prepared { get; }

    /// <summary>What forward keeps for backward, and buffers.</summary>
    public Arena Activations { get; }

    /// <summary>Arenas that only count.</summary>
    public static DecoderMemory Measure(bool trained, DType precision = DType.F32) =>
        new(precision, Arena.Measure(), trained ? Arena.Measure() : null, Arena.Measure(), Arena.Measure());

    /// <summary>Real arenas of exactly the measured sizes.</summary>
    public static DecoderMemory Allocate(Device device, DecoderMemory plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        return new(
            plan.Precision, new Arena(device, plan.Weights.Used), plan.Gradients is null ? null : new Arena(device, plan.Gradients.Used),
            new Arena(device, plan.Prepared.Used), new Arena(device, plan.Activations.Used));
    }

    /// <summary>Bytes handed out in all arenas.</summary>
    public long Bytes => Weights.Used + (Gradients?.Used ?? 0) + Prepared.Used + Activations.Used;

    /// <inheritdoc/>
    public void Dispose()
    {
        Weights.Dispose();
        Gradients?.Dispose();
        Prepared.Dispose();
        Activations.Dispose();
    }
}
