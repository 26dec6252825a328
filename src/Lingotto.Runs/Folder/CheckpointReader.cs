using Lingotto.Formats;

namespace Lingotto.Runs;

/// <summary>Checkpoints for who reads a model beside the run: what is damaged is found before it is loaded, and nothing is moved.</summary>
public static class CheckpointReader
{
    /// <summary>The newest checkpoint whose model is intact; null where there never was one.</summary>
    /// <param name="folder">The checkpoints of a run.</param>
    /// <param name="warn">Told in one line of one that was passed over.</param>
    /// <exception cref="RunException">None of them is intact.</exception>
    public static string? NewestIntact(string folder, Action<string> warn)
    {
        ArgumentNullException.ThrowIfNull(warn);
        (IReadOnlyList<string> candidates, string? fault) = CheckpointIndex.Candidates(folder);
        foreach (string name in candidates)
        {
            string checkpoint = Path.Combine(folder, name);
            try
            {
                DurableFolder.Open(checkpoint).Verify(unread: CheckpointIndex.OptimizerFile);
                if (fault is not null)
                {
                    warn($"{fault.Split(';')[0]}: took {name}, the newest that is intact");
                }

                return checkpoint;
            }
            catch (DurableFolderException e)
            {
                fault ??= e.Message;
            }
        }

        return fault is null ? null : throw new RunException($"{folder} holds no intact checkpoint ({fault}): restore one from a copy");
    }

    /// <summary>Holds model and tokenizer of a folder to its manifest; a model from elsewhere has none.</summary>
    /// <exception cref="DurableFolderException">A file is damaged; the message names it and the tensor.</exception>
    public static void Verify(string model)
    {
        if (DurableFolder.HasManifest(model))
        {
            DurableFolder.Open(model).Verify(unread: CheckpointIndex.OptimizerFile);
        }
    }
}
