namespace Lingotto.Planning;

/// <summary>The order of forward and backward passes in a pipeline.</summary>
public enum PipelineSchedule
{
    /// <summary>
    /// One forward, one backward: 1F1B (PipeDream-Flush, arXiv 2006.09503); interleaved if a device holds several chunks
    /// (arXiv 2104.04473).
    /// </summary>
    OneForwardOneBackward,

    /// <summary>ZB-H1: weight gradients fill the bubble, with the memory of 1F1B (arXiv 2401.10241).</summary>
    ZeroBubbleH1,

    /// <summary>ZB-H2: weight gradients fill the bubble, with about twice the memory of 1F1B (arXiv 2401.10241).</summary>
    ZeroBubbleH2,
}
