namespace Lingotto.Planning;

/// <summary>Time of an update by parts, seconds. The parts are exposed time and sum to the total.</summary>
public readonly record struct StepTime
{
    /// <summary>Matmuls, including recomputation.</summary>
    public double Matmul { get; init; }

    /// <summary>Attention scores and values.</summary>
    public double Attention { get; init; }

    /// <summary>Memory traffic of norms, activations, permutations and casts.</summary>
    public double Memory { get; init; }

    /// <summary>Waiting for the host to launch kernels.</summary>
    public double Host { get; init; }

    /// <summary>Tensor-parallel traffic.</summary>
    public double TensorLink { get; init; }

    /// <summary>Expert-parallel traffic.</summary>
    public double ExpertLink { get; init; }

    /// <summary>Context-parallel traffic.</summary>
    public double ContextLink { get; init; }

    /// <summary>Transfers between pipeline stages.</summary>
    public double PipelineLink { get; init; }

    /// <summary>Pipeline bubble: stages wait for their first and after their last micro-batch.</summary>
    public double Bubble { get; init; }

    /// <summary>Data-parallel traffic: gradients and weights between replicas.</summary>
    public double DataLink { get; init; }

    /// <summary>Optimizer step.</summary>
    public double Optimizer { get; init; }

    /// <summary>Waiting for the slowest device: jitter and slow steps.</summary>
    public double Straggler { get; init; }

    /// <summary>Sum of all parts, s.</summary>
    public double Total => Matmul + Attention + Memory + Host + TensorLink + ExpertLink + ContextLink + PipelineLink + Bubble
        + DataLink + Optimizer + Straggler;

    /// <summary>Names of the parts in the order of <see cref="Parts"/>.</summary>
    public static IReadOnlyList<string> PartNames { get; } =
    [
        "matmuls", "attention", "memory traffic", "host", "tensor-parallel link", "expert-parallel link", "context-parallel link",
        "pipeline link", "pipeline bubble", "data-parallel link", "optimizer", "stragglers",
    ];

    /// <summary>The parts, s.</summary>
    public IReadOnlyList<double> Parts =>
        [Matmul, Attention, Memory, Host, TensorLink, ExpertLink, ContextLink, PipelineLink, Bubble, DataLink, Optimizer, Straggler];

    /// <summary>
    /// Returns the parts that repeat with each micro-batch, without pipeline, data-parallel traffic, optimizer and stragglers.
    /// </summary>
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

    /// <summary>Returns every part multiplied by a factor.</summary>
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
