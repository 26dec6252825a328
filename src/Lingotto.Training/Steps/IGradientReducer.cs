using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>
/// Sums gradients and statistics over the micro-batches and the replicas of one update, between the backward passes and the
/// gradient norm. A fixed order of the sum makes the bits independent of which replica computed which micro-batch.
/// </summary>
internal interface IGradientReducer
{
    /// <summary>The update as all replicas see it.</summary>
    /// <param name="targets">Targets of this replica.</param>
    /// <param name="microBatches">Micro-batches of this replica.</param>
    UpdateSize Sum(int targets, int microBatches);

    /// <summary>The backward pass of a micro-batch has added its gradient to the blocks.</summary>
    void AddMicroBatch(IReadOnlyList<ParameterBlock> blocks);

    /// <summary>Called once after the last micro-batch: leaves the sums over all replicas in the blocks and in the statistics.</summary>
    void Reduce(IReadOnlyList<ParameterBlock> blocks, StepStatistics statistics);
}

/// <summary>An update over all replicas.</summary>
/// <param name="Targets">Targets of all replicas: the denominator of the loss.</param>
/// <param name="MicroBatches">Micro-batches of all replicas: the denominator of the router losses.</param>
/// <param name="FirstMicroBatch">Global number of this replica's first micro-batch within the update.</param>
internal readonly record struct UpdateSize(int Targets, int MicroBatches, int FirstMicroBatch);

/// <summary>
/// One replica: the kernels add each micro-batch into the blocks in order (docs/decisions/0007-micro-batches-in-order.md).
/// </summary>
internal sealed class SingleReplica : IGradientReducer
{
    public static readonly SingleReplica Instance = new();

    public UpdateSize Sum(int targets, int microBatches) => new(targets, microBatches, FirstMicroBatch: 0);

    public void AddMicroBatch(IReadOnlyList<ParameterBlock> blocks)
    {
    }

    public void Reduce(IReadOnlyList<ParameterBlock> blocks, StepStatistics statistics)
    {
    }
}
