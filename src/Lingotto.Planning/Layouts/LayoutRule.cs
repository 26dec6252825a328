namespace Lingotto.Planning;

/// <summary>The rules of a layout; <see cref="LayoutRules"/> words them.</summary>
public enum LayoutRule
{
    /// <summary>None is broken.</summary>
    None,

    /// <summary>Devices are a multiple of t*p*c.</summary>
    AttentionGrid,

    /// <summary>Devices are a multiple of p*e*t_e.</summary>
    ExpertGrid,

    /// <summary>Tensor parallelism stays inside a node.</summary>
    TensorInNode,

    /// <summary>Tensor parallelism of experts stays inside a node.</summary>
    ExpertTensorInNode,

    /// <summary>Query heads divide by t.</summary>
    QueryHeads,

    /// <summary>Key-value heads divide by t, or t by them.</summary>
    KeyValueHeads,

    /// <summary>Expert parallelism needs experts.</summary>
    DenseModel,

    /// <summary>Experts divide by e.</summary>
    Experts,

    /// <summary>Every chunk of every stage has a layer.</summary>
    Stages,

    /// <summary>Sequences divide by b*D.</summary>
    Batch,

    /// <summary>Every island has as many whole replicas, of experts too.</summary>
    Islands,

    /// <summary>The interleaved schedule needs stages, and a multiple of them in micro-batches.</summary>
    Interleaving,

    /// <summary>Zero-bubble schedules are planned without chunks.</summary>
    ZeroBubbleChunks,

    /// <summary>A zero-bubble schedule needs a pipeline.</summary>
    ZeroBubblePipeline,

    /// <summary>ZeRO-2 and 3 are planned without a pipeline.</summary>
    ZeroPipeline,
}
