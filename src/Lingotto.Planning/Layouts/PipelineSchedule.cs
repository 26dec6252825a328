namespace Lingotto.Planning;

/// <summary>The order of forward and backward passes in a pipeline.</summary>
public enum PipelineSchedule
{
    /// <summary>One forward, one backward (PipeDream-Flush, arXiv 2006.09503); interleaved when a device holds several stages (arXiv 2104.04473).</summary>
    OneForwardOneBackward,

    /// <summary>Weight gradients fill the bubble at the memory of 1F1B (arXiv 2401.10241, ZB-H1).</summary>
    ZeroBubbleH1,

    /// <summary>Weight gradients fill the bubble at about twice the memory of 1F1B (arXiv 2401.10241, ZB-H2).</summary>
    ZeroBubbleH2,
}
