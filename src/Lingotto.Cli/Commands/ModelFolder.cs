using Lingotto.Formats;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>Where the weights are when a user names a run or a model.</summary>
internal static class ModelFolder
{
    /// <summary>The newest intact checkpoint of a run folder, or the folder itself when it is a model.</summary>
    /// <param name="folder">A run or a model.</param>
    /// <param name="warn">Told in one line of a damaged checkpoint that was passed over.</param>
    /// <exception cref="RunException">It is neither, or no checkpoint is intact.</exception>
    /// <exception cref="DurableFolderException">The model named is damaged.</exception>
    public static string Find(string folder, Action<string> warn)
    {
        if (!Directory.Exists(folder))
        {
            throw new RunException(
                $"{folder}: no such folder: give a run such as runs/quickstart, or a folder with config.json and weights");
        }
        if (File.Exists(Path.Combine(folder, "config.json")))
        {
            CheckpointReader.Verify(folder);
            return folder;
        }

        string checkpoints = Path.Combine(folder, "checkpoints");
        if (!Directory.Exists(checkpoints))
        {
            throw new RunException(
                $"{folder}: holds neither config.json nor checkpoints: give a run such as runs/quickstart, or a model folder");
        }
        return CheckpointReader.NewestIntact(checkpoints, warn)
            ?? throw new RunException($"{folder}: holds no checkpoint yet: run lingotto pretrain until it saves one");
    }
}
