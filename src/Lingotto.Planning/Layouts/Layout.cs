namespace Lingotto.Planning;

/// <summary>
/// How a model is distributed over devices. A stage has two grids: t*c*D for attention and e*t_e*D_e for experts. Both cover the same
/// devices, so D = W/(t*p*c) and D_e = W/(p*e*t_e).
/// </summary>
public readonly record struct Layout
{
    /// <summary>Creates a layout on one device without parallelism.</summary>
    public Layout()
    {
    }

    /// <summary>Number of devices, W.</summary>
    public required int Devices { get; init; }

    /// <summary>Tensor parallelism, t.</summary>
    public int Tensor { get; init; } = 1;

    /// <summary>Pipeline stages, p.</summary>
    public int Pipeline { get; init; } = 1;

    /// <summary>Model chunks per stage, v; above 1 for the interleaved schedule.</summary>
    public int Chunks { get; init; } = 1;

    /// <summary>Context parallelism, c.</summary>
    public int Context { get; init; } = 1;

    /// <summary>Expert parallelism, e.</summary>
    public int Expert { get; init; } = 1;

    /// <summary>Tensor parallelism inside an expert, t_e.</summary>
    public int ExpertTensor { get; init; } = 1;

    /// <summary>Sequences of a micro-batch, b.</summary>
    public int MicroBatch { get; init; } = 1;

    /// <summary>
    /// Islands of replicas. The replicas of an island exchange every step, the islands exchange at time intervals
    /// (<see cref="ExchangeRule.TimeBased"/>). 1 for synchronous training.
    /// </summary>
    public int Islands { get; init; } = 1;

    /// <summary>What data-parallel ranks shard.</summary>
    public ZeroStage Zero { get; init; } = ZeroStage.Optimizer;

    /// <summary>What backward recomputes.</summary>
    public Recompute Recompute { get; init; }

    /// <summary>The order of passes in the pipeline.</summary>
    public PipelineSchedule Schedule { get; init; }

    /// <summary>
    /// True if norms and residual streams are split over tensor ranks too (Megatron's sequence parallelism, arXiv 2205.05198).
    /// </summary>
    public bool SplitsSequence { get; init; } = true;

    /// <summary>Replicas of all weights except experts, D.</summary>
    public int Data => Devices / (Tensor * Pipeline * Context);

    /// <summary>Replicas of each expert, D_e.</summary>
    public int ExpertData => Devices / (Pipeline * Expert * ExpertTensor);

    /// <summary>Ranks of an island that hold the same non-expert weights, D*c/islands. They shard state and exchange every step.</summary>
    internal int Replicas => Data * Context / Islands;

    /// <summary>Ranks of an island that hold the same expert weights.</summary>
    internal int ExpertReplicas => ExpertData / Islands;

    /// <summary>Returns the shorthand: t2 p8 v4 c1 e32 d16 b1 zero-1 recompute-full.</summary>
    public override string ToString() => LayoutText.Write(this);
}
