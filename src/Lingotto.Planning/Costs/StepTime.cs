namespace Lingotto.Planning;

/// <summary>Where the seconds of an update go. The parts are exposed time and sum to the total.</summary>
public readonly record struct StepTime
{
    /// <summary>Matrix products, recomputation included.</summary>
    public double Matmul { get; init; }

    /// <summary>Attention scores and mixing.</summary>
    public double Attention { get; init; }

    /// <summary>Norms, activations, permutations, casts: bytes moved in memory.</summary>
    public double Memory { get; init; }

    /// <summary>Waiting for the host to issue work.</summary>
    public double Host { get; init; }

    /// <summary>Tensor-parallel traffic.</summary>
    public double TensorLink { get; init; }

    /// <summary>Expert-parallel traffic.</summary>
    public double ExpertLink { get; init; }

    /// <summary>Context-parallel traffic.</summary>
    public double ContextLink { get; init; }

    /// <summary>Between pipeline stages.</summary>
    public double PipelineLink { get; init; }

    /// <summary>Stages that wait for their first and last micro-batch.</summary>
    public double Bubble { get; init; }

    /// <summary>Gradients and weights between replicas.</summary>
    public double DataLink { get; init; }

    /// <summary>The optimizer's step.</summary>
    public double Optimizer { get; init; }

    /// <summary>Waiting for the slowest device.</summary>
    public double Straggler { get; init; }

    /// <summary>All of it, s.</summary>
    public double Total => Matmul + Attention + Memory + Host + TensorLink + ExpertLink + ContextLink + PipelineLink + Bubble
        + DataLink + Optimizer + Straggler;

    /// <summary>Names of the parts in the order of <see cref="Parts"/>.</summary>
    public static IReadOnlyList<string> PartNames { get; } =
    [
        "matrix products", "attention", "memory traffic", "host", "tensor-parallel link", "expert-parallel link", "context-parallel link",
        "pipeline link", "pipeline bubble", "data-parallel link", "optimizer", "stragglers",
    ];

    /// <summary>The parts.</summary>
    public IReadOnlyList<double> Parts =>
        [Matmul, Attention, Memory, Host, TensorLink, ExpertLink, ContextLink, PipelineLink, Bubble, DataLink, Optimizer, Straggler];

    /// <summary>The parts that each micro-batch takes; waiting, pipeline, replicas and optimizer come on top.</summary>
    internal static StepTime OfPasses(in PassTime pass, double microBatches) => new()
    {
        Matmul = microBatches * pass.Matmul,
        Attention = microBatches * pass.Attention,
        Memory = microBatches * pass.Memory,
        Host = microBatches * pass.Host,
        TensorLink = microBatches * pass.TensorLink,
        ExpertLink = microBatches * pass.ExpertLink,
        ContextLink = microBatches * pass.ContextLink,
    };

    /// <summary>Every part times a factor.</summary>
    public StepTime Times(double factor) => new()
    {
        Matmul = factor * Matmul,
        Attention = factor * Attention,
        Memory = factor * Memory,
        Host = factor * Host,
        TensorLink = factor * TensorLink,
        ExpertLink = factor * ExpertLink,
        ContextLink = factor * ContextLink,
        PipelineLink = factor * PipelineLink,
        Bubble = factor * Bubble,
        DataLink = factor * DataLink,
        Optimizer = factor * Optimizer,
        Straggler = factor * Straggler,
    };
}
