namespace Lingotto.Planning;

/// <summary>
/// How a model is laid over devices. Two grids share a stage: attention t*c*D, experts e*t_e*D_e; the larger decides, so
/// D = W/(t*p*c) and D_e = W/(p*e*t_e).
/// </summary>
public readonly record struct Layout
{
    /// <summary>Fields of one device and no parallelism.</summary>
    public Layout()
    {
    }

    /// <summary>W: devices.</summary>
    public required int Devices { get; init; }

    /// <summary>t: tensor parallelism, with the sequence split between products.</summary>
    public int Tensor { get; init; } = 1;

    /// <summary>p: pipeline stages.</summary>
    public int Pipeline { get; init; } = 1;

    /// <summary>v: model chunks per stage, above 1 for the interleaved schedule.</summary>
    public int Chunks { get; init; } = 1;

    /// <summary>c: context parallelism.</summary>
    public int Context { get; init; } = 1;

    /// <summary>e: expert parallelism.</summary>
    public int Expert { get; init; } = 1;

    /// <summary>t_e: tensor parallelism inside an expert.</summary>
    public int ExpertTensor { get; init; } = 1;

    /// <summary>b: sequences in a micro-batch.</summary>
    public int MicroBatch { get; init; } = 1;

    /// <summary>
    /// Islands of replicas: those of one exchange every step, islands among each other by the clock (<see cref="ExchangeRule.ByClock"/>).
    /// 1 for synchronous training.
    /// </summary>
    public int Islands { get; init; } = 1;

    /// <summary>What data-parallel ranks share.</summary>
    public ZeroStage Zero { get; init; } = ZeroStage.Optimizer;

    /// <summary>What backward computes again.</summary>
    public Recompute Recompute { get; init; }

    /// <summary>The order of passes.</summary>
    public PipelineSchedule Schedule { get; init; }

    /// <summary>Norms and residual streams are split over tensor ranks too (Megatron's sequence parallelism, arXiv 2205.05198).</summary>
    public bool SplitsSequence { get; init; } = true;

    /// <summary>D: replicas of everything but experts.</summary>
    public int Data => Devices / (Tensor * Pipeline * Context);

    /// <summary>D_e: replicas of each expert.</summary>
    public int ExpertData => Devices / (Pipeline * Expert * ExpertTensor);

    /// <summary>Ranks of an island that hold the same weights besides experts, D*c/islands: they share state and exchange every step.</summary>
    internal int Replicas => Data * Context / Islands;

    /// <summary>The same for weights of experts.</summary>
    internal int ExpertReplicas => ExpertData / Islands;

    /// <summary>The usual shorthand: t2 p8 v4 c1 e32 d16 b1 zero-1 recompute-full.</summary>
    public override string ToString() => LayoutText.Write(this);
}
