namespace Lingotto.Planning;

/// <summary>The rules that a layout must obey. <see cref="LayoutRules"/> checks them and words the messages.</summary>
public enum LayoutRule
{
    /// <summary>No rule is broken.</summary>
    None,

    /// <summary>The number of devices is a multiple of t*p*c.</summary>
    AttentionGrid,

    /// <summary>The number of devices is a multiple of p*e*t_e.</summary>
    ExpertGrid,

    /// <summary>Tensor parallelism stays inside a node.</summary>
    TensorInNode,

    /// <summary>Tensor parallelism of experts stays inside a node.</summary>
    ExpertTensorInNode,

    /// <summary>The number of query heads is a multiple of t.</summary>
    QueryHeads,

    /// <summary>The number of key-value heads is a multiple or a divisor of t.</summary>
    KeyValueHeads,

    /// <summary>Expert parallelism needs a model with experts.</summary>
    DenseModel,

    /// <summary>The number of experts is a multiple of e.</summary>
    Experts,

    /// <summary>Every chunk of every stage has a layer.</summary>
    Stages,

    /// <summary>The number of sequences is a multiple of b*D.</summary>
    Batch,

    /// <summary>Every island has the same number of whole replicas, of experts too.</summary>
    Islands,

    /// <summary>The interleaved schedule needs several stages, and micro-batches in a multiple of the stages.</summary>
    Interleaving,

    /// <summary>Zero-bubble schedules are planned without chunks.</summary>
    ZeroBubbleChunks,

    /// <summary>A zero-bubble schedule needs a pipeline.</summary>
    ZeroBubblePipeline,

    /// <summary>ZeRO-2 and 3 are planned without a pipeline.</summary>
    ZeroPipeline,
}
