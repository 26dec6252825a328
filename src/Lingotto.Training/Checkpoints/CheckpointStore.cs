using System.Runtime.InteropServices;
using System.Text.Json;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// Checkpoints of a run: folders that Hugging Face tools load as they stand, with the optimizer's state beside, written
/// whole or not at all, the pointer to the latest moved last. What is loaded was verified; what is damaged is set aside.
/// </summary>
internal sealed class CheckpointStore(string folder, Device device, IDisk? disk = null)
{
    private const string ModelFile = "model.safetensors";

    /// <summary>What is damaged is called that and its old name; for whoever wants to know what happened to the disk.</summary>
    private const string DamagedPrefix = "damaged-";

    /// <summary>Elements handed to the disk at a time.</summary>
    private const int Chunk = 1 << 20;

    private readonly IDisk _disk = disk ?? LocalDisk.Instance;

    /// <summary>The model as other stages of the run save it: the same weights, positions turned otherwise.</summary>
    public IReadOnlyList<ModelConfig> OfOtherStages { get; init; } = [];

    /// <summary>
    /// Refuses to train where there is no room for two checkpoints, those already saved among them: one to go on from while the next is
    /// written.
    /// </summary>
    /// <exception cref="DurableFolderException">There is less, with a tenth to spare for each.</exception>
    public void RequireRoom(CheckpointContent content)
    {
        Directory.CreateDirectory(folder);
        int missing = Math.Max(0, 2 - CheckpointIndex.Candidates(folder).Names.Count);
        DurableFolder.RequireFreeSpace(folder, missing * (content.Bytes + content.Bytes / 10), _disk);
    }

    /// <summary>Writes a checkpoint, points at it and removes the oldest beyond <paramref name="keep"/>. Returns its folder.</summary>
    /// <exception cref="IOException">The disk refused; the checkpoint before is intact and still pointed at.</exception>
    public string Save(TrainerState state, CheckpointContent content, ITensorReader tensors, int keep,
        CancellationToken cancellation = default)
    {
        Directory.CreateDirectory(folder);
        string name = CheckpointIndex.NameOf(state.Step), target = Path.Combine(folder, name);
        if (DurablePointer.Read(folder) != name || !Directory.Exists(target))
        {
            RemoveAbandoned(target);
            MakeRoom(content.Bytes);
            DurableFolder.Write(target, partial => Fill(partial, state, content, tensors, cancellation), _disk);
            DurablePointer.Write(folder, name, _disk);
        }

        Prune(name, keep);
        return target;
    }

    /// <summary>
    /// Loads the newest checkpoint that is intact; null where there never was one. Leftovers of an interrupted save are removed,
    /// damaged checkpoints set aside, and <paramref name="warn"/> told in one line what was lost.
    /// </summary>
    /// <exception cref="RunException">None of them is intact, or they are of another model.</exception>
    public TrainerState? Restore(TrainableDecoder decoder, AdamWOptimizer optimizer, Action<string> warn)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        DurableFolder.Sweep(folder);
        (IReadOnlyList<string> candidates, string? fault) = CheckpointIndex.Candidates(folder);
        var damaged = new List<string>();
        foreach (string name in candidates)
        {
            try
            {
                TrainerState state = Load(Path.Combine(folder, name), decoder, optimizer);
                if (fault is not null)
                {
                    FallBack(name, damaged, fault, warn);
                }

                return state;
            }
            catch (DurableFolderException e)
            {
                fault ??= e.Message;
                damaged.Add(name);
            }
        }

        return fault is null ? null : throw new RunException(
            $"{folder} holds no intact checkpoint ({fault}): restore one from a copy, or start over with --fresh.");
    }

    /// <summary>
    /// Loads the checkpoint that a run which diverged goes on from, and makes it the newest; null where there is none. That of an
    /// interruption counts only where there is no other: an unbroken run would not have it.
    /// </summary>
    public TrainerState? RollBack(TrainableDecoder decoder, AdamWOptimizer optimizer, Action<string> warn)
    {
        string[] saved = Directory.Exists(folder) ? [.. CheckpointIndex.Candidates(folder).Names] : [];
        string? target = saved.FirstOrDefault(IsScheduled)
            ?? saved.FirstOrDefault(name => CheckpointIndex.ReadState(Path.Combine(folder, name))?.Guard is { IsAlarmed: false });
        if (target is null)
        {
            return null;
        }

        // The pointer first: whoever resumes after a crash takes the same one.
        DurablePointer.Write(folder, target, _disk);
        TrainerState state = Restore(decoder, optimizer, warn)!;
        foreach (string diverged in saved.Where(name => CheckpointIndex.StepOf(name) > state.Step))
        {
            DurableFolder.TryRemove(Path.Combine(folder, diverged), _disk);
        }

        return state;
    }

    private bool IsScheduled(string name) => CheckpointIndex.ReadState(Path.Combine(folder, name)) is { IsUnscheduled: false };

    /// <exception cref="DurableFolderException">It is damaged; the message names the file and the tensor.</exception>
    /// <exception cref="RunException">It is of another model.</exception>
    public TrainerState Load(string checkpoint, TrainableDecoder decoder, AdamWOptimizer optimizer)
    {
        DurableFolder.Open(checkpoint).Verify();
        var saved = ModelConfig.Load(checkpoint);
        ModelConfig withoutIds = saved with { EosTokenId = decoder.Config.EosTokenId, PadTokenId = decoder.Config.PadTokenId };
        if (withoutIds != decoder.Config && !OfOtherStages.Contains(withoutIds))
        {
            throw new RunException(
                $"{checkpoint} holds a model whose config.json differs from the recipe's: restore the recipe's, start over with "
                + "--fresh, or choose another folder with --run.");
        }

        WeightFiles.Read(device, Path.Combine(checkpoint, ModelFile), WeightFiles.Enumerate(decoder.Config, decoder.Blocks));
        WeightFiles.Read(device, Path.Combine(checkpoint, CheckpointIndex.OptimizerFile), optimizer.State());
        return CheckpointIndex.StateOf(checkpoint)
            ?? throw new RunException(
                $"{Path.Combine(checkpoint, CheckpointIndex.StateFile)} is absent or empty: delete this checkpoint or start over with "
                + "--fresh.");
    }

    /// <summary>The pointer first: from then on the others are abandoned, whatever becomes of them.</summary>
    private void FallBack(string name, List<string> damaged, string fault, Action<string> warn)
    {
        DurablePointer.Write(folder, name, _disk);
        string aside = "";
        foreach (string other in damaged.Where(other => Directory.Exists(Path.Combine(folder, other))))
        {
            string kept = Path.Combine(folder, DamagedPrefix + other);
            _disk.Delete(kept);
            _disk.Rename(Path.Combine(folder, other), kept);
            aside = $"; the damaged one is now {DamagedPrefix}{other}, delete it when you need it no more";
        }

        warn($"{fault.Split(';')[0]}: went back to {name}, the newest that is intact, and do the updates since again{aside}.");
    }

    private DurableFileEntry[] Fill(string partial, TrainerState state, CheckpointContent content, ITensorReader tensors,
        CancellationToken cancellation)
    {
        DurableFile.WriteAllText(Path.Combine(partial, "config.json"), content.Config.ToJson(), _disk);
        foreach ((string name, byte[] bytes) in content.Texts)
        {
            DurableFile.WriteAllBytes(Path.Combine(partial, name), bytes, _disk);
        }

        DurableFileEntry[] known =
        [
            Write(Path.Combine(partial, ModelFile), content.Weights, tensors, cancellation),
            Write(Path.Combine(partial, CheckpointIndex.OptimizerFile), content.Moments, tensors, cancellation),
        ];
        DurableFile.WriteAllBytes(
            Path.Combine(partial, CheckpointIndex.StateFile),
            JsonSerializer.SerializeToUtf8Bytes(state, RunJson.Default.TrainerState), _disk);
        return known;
    }

    private DurableFileEntry Write(string path, IReadOnlyList<NamedTensor> all, ITensorReader tensors, CancellationToken cancellation)
    {
        TensorSpec[] specs = [.. all.Select(t => new TensorSpec(t.Name, SafetensorsDType.F32, ShapeOf(t.Value)))];
        using var writer = new SafetensorsWriter(path, specs, disk: _disk);

        // As they lie in the file, by name: the disk writes in order what comes in order.
        foreach (NamedTensor tensor in all.OrderBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            int length = checked((int)tensor.Value.Length);
            for (int first = 0; first < length; first += Chunk)
            {
                cancellation.ThrowIfCancellationRequested();
                ReadOnlySpan<float> part = tensors.Read(tensor, first, Math.Min(Chunk, length - first));
                writer.Write(tensor.Name, (long)first * sizeof(float), MemoryMarshal.AsBytes(part));
            }
        }

        writer.Complete();
        return writer.Describe()!;
    }

    /// <summary>
    /// Where room is short, what the pointer was turned back from and then the oldest go before their time; never the one that the
    /// run would go on from.
    /// </summary>
    private void MakeRoom(long bytes)
    {
        foreach (string spare in CheckpointIndex.Candidates(folder).Names.Skip(1).Reverse())
        {
            if (_disk.AvailableBytes(folder) >= bytes)
            {
                return;
            }

            DurableFolder.TryRemove(Path.Combine(folder, spare), _disk);
        }

        DurableFolder.RequireFreeSpace(folder, bytes, _disk);
    }

    /// <summary>
    /// A checkpoint of this step that the run did not resume from: the pointer never reached it or was turned back, because it
    /// came out otherwise.
    /// </summary>
    private void RemoveAbandoned(string target)
    {
        if (Directory.Exists(target) && !DurableFolder.TryRemove(target, _disk))
        {
            throw new IOException($"{target}: cannot be removed to save this step anew; check its permissions and the disk");
        }
    }

    /// <summary>
    /// Counts back from the newest; those after it are abandoned and no reason to remove a good one. One that a divergence would go back
    /// to stays beyond the number, as long as no newer one is.
    /// </summary>
    private void Prune(string newest, int keep)
    {
        string[] saved =
        [
            .. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path))
                .Where(name => CheckpointIndex.IsCheckpoint(name) && string.CompareOrdinal(name, newest) <= 0)
                .OrderDescending(StringComparer.Ordinal),
        ];
        string? target = saved.Length > keep ? saved.FirstOrDefault(IsScheduled) : null;
        foreach (string old in saved.Skip(keep).Where(name => name != target))
        {
            DurableFolder.TryRemove(Path.Combine(folder, old), _disk);
        }
    }

    private static long[] ShapeOf(Tensor tensor) => [.. Enumerable.Range(0, tensor.Rank).Select(dim => (long)tensor[dim])];
}
