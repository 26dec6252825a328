using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>What the command line says beside the recipe.</summary>
/// <param name="RunFolder">Where everything goes.</param>
/// <param name="Threads">0 takes every processor.</param>
/// <param name="MaxTime">End cleanly after this much time of this invocation.</param>
/// <param name="Fresh">Start over instead of resuming.</param>
/// <param name="AssetFolder">Folder that holds models/.</param>
public sealed record PretrainOptions(string RunFolder, int Threads, TimeSpan? MaxTime, bool Fresh, string AssetFolder)
{
    /// <summary>Record every operation: trace.json, profile.json, and a watch over hung steps.</summary>
    public bool Trace { get; init; }

    /// <summary>What the run is expected to do, kept in its folder beside what it does; null leaves what the folder holds.</summary>
    public RunPlan? Plan { get; init; }

    /// <summary>Where checkpoints go; another than the local disk to see what a run does when it fails.</summary>
    public Lingotto.Formats.IDisk CheckpointDisk { get; init; } = Lingotto.Formats.LocalDisk.Instance;
}
