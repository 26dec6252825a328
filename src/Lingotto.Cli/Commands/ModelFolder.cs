using Lingotto.Formats;
using Lingotto.Training;

namespace Lingotto.Cli;

/// <summary>Where the weights are when a user names a run or a model.</summary>
internal static class ModelFolder
{
    /// <summary>The newest checkpoint of a run folder, or the folder itself when it is a model.</summary>
    /// <exception cref="RunException">It is neither.</exception>
    public static string Find(string folder)
    {
        if (!Directory.Exists(folder))
            throw new RunException($"{folder}: no such folder: give a run such as runs/quickstart, or a folder with config.json and weights");
        if (File.Exists(Path.Combine(folder, "config.json")))
            return folder;
        string checkpoints = Path.Combine(folder, "checkpoints");
        if (!Directory.Exists(checkpoints))
            throw new RunException($"{folder}: holds neither config.json nor checkpoints: give a run such as runs/quickstart, or a model folder");
        return DurablePointer.Read(checkpoints) is { } newest
            ? Path.Combine(checkpoints, newest)
            : throw new RunException($"{folder}: holds no checkpoint yet: run lingotto pretrain until it saves one");
    }
}
