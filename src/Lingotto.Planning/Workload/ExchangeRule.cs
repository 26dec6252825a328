namespace Lingotto.Planning;

/// <summary>When replicas exchange weights or gradients.</summary>
public enum ExchangeRule
{
    /// <summary>Every step: synchronous data parallelism.</summary>
    EveryStep,

    /// <summary>After a number of steps of each worker: local SGD.</summary>
    AfterSteps,

    /// <summary>At time intervals; each worker finishes its current step first: time-based EDiT (arXiv 2412.07210).</summary>
    TimeBased,
}
