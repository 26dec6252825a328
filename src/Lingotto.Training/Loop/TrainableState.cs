using Lingotto.Model;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>Weights and moments of a run, as a checkpoint fills them.</summary>
/// <param name="Decoder">The model.</param>
/// <param name="Optimizer">Its moments.</param>
/// <param name="IsSaveDue">The checkpoint that was loaded waits for a save.</param>
internal sealed record TrainableState(TrainableDecoder Decoder, AdamWOptimizer Optimizer, bool IsSaveDue)
{
    /// <summary>Loads the newest intact checkpoint, or draws fresh weights.</summary>
    public static TrainableState RestoreOrInitialize(
        TrainableDecoder decoder, AdamWOptimizer optimizer, CheckpointStore store, RunProgress progress, GuardedStep guarded, ulong seed,
        Action<string> warn)
    {
        TrainerState? loaded = store.Restore(decoder, optimizer, warn);
        if (loaded is not null)
        {
            guarded.State = progress.ResumeFrom(loaded);
        }
        else
        {
            decoder.Model.Initialize(seed);
        }

        decoder.RefreshWeights();
        return new TrainableState(decoder, optimizer, loaded is { IsSaveDue: true });
    }
}
