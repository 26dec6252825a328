namespace Lingotto.Planning;

/// <summary>How two kinds of devices share the training of one model.</summary>
public enum MixedMode
{
    /// <summary>Whole replicas on each kind; each kind trains sequences of every update in proportion to its speed.</summary>
    Replicas,

    /// <summary>The first stages of every pipeline on one kind and the last on the other, with layers in proportion to speed.</summary>
    Stages,

    /// <summary>Islands of replicas on each kind, which exchange at time intervals (EDiT) and wait for each other at a sync only.</summary>
    Islands,
}
