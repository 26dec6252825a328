using System.Runtime.InteropServices;
using Lingotto.Formats;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>Adds the weights of several checkpoints of one model into one.</summary>
public static class CheckpointMerger
{
    /// <summary>Elements that are held at a time, so that memory does not grow with the model.</summary>
    private const int Chunk = 1 << 20;

    private static readonly string[] s_copied =
        ["config.json", "tokenizer.json", ModelCompanions.TokenizerConfigFile, ModelCompanions.GenerationConfigFile];

    /// <summary>The checkpoints to merge, oldest first.</summary>
    /// <param name="paths">A run folder, or checkpoint folders in their order.</param>
    /// <param name="last">How many of them, counted from the newest; null for all.</param>
    /// <exception cref="RunException">There are fewer than two, or fewer than asked for.</exception>
    public static IReadOnlyList<string> Find(IReadOnlyList<string> paths, int? last)
    {
        ArgumentNullException.ThrowIfNull(paths);
        string inRun = paths.Count == 1 ? Path.Combine(paths[0], "checkpoints") : "";
        string[] found = Directory.Exists(inRun)
            ? [.. OfRun(inRun)]
            : [.. paths];
        int count = last ?? found.Length;
        return count >= 2 && count <= found.Length
            ? found[^count..]
            : throw new RunException(
                $"{string.Join(", ", paths)} {(found.Length == 1 ? "is 1 checkpoint" : $"are {found.Length} checkpoints")} where "
                + $"{Math.Max(2, count)} are to be merged: name more, lower --last, or let a run keep more with checkpoints.keep.");
    }

    /// <summary>Oldest first; those after the one that the run goes on from were left behind.</summary>
    private static IEnumerable<string> OfRun(string folder)
    {
        IReadOnlyList<string> names = CheckpointIndex.Candidates(folder).Names;
        return names.Where(name => string.CompareOrdinal(name, names[0]) <= 0).Order(StringComparer.Ordinal)
            .Select(name => Path.Combine(folder, name))
            .Where(path => File.Exists(Path.Combine(path, "config.json")));
    }

    /// <summary>
    /// Where checkpoints stand in their run, to weigh them by: their steps, or 0, 1, 2, ... where one was not saved by a run.
    /// <paramref name="warn"/> is told of those that a rate which already fell has touched: a merge stands for that fall itself.
    /// </summary>
    /// <param name="checkpoints">Folders, oldest first.</param>
    /// <param name="warn">Hears one line.</param>
    /// <exception cref="RunException">They are not in the order of their steps.</exception>
    /// <exception cref="DurableFolderException">One is damaged.</exception>
    public static IReadOnlyList<long> PositionsOf(IReadOnlyList<string> checkpoints, Action<string> warn)
    {
        TrainerState?[] states = [.. checkpoints.Select(CheckpointIndex.StateOf)];
        if (states.Contains(null))
        {
            return [.. Enumerable.Range(0, checkpoints.Count)];
        }

        for (int i = 1; i < states.Length; i++)
        {
            if (states[i]!.Step <= states[i - 1]!.Step)
            {
                throw new RunException(
                    $"{checkpoints[i]} is of step {states[i]!.Step}, {checkpoints[i - 1]} before it of step {states[i - 1]!.Step}: name "
                    + "each once, oldest first");
            }
        }

        long fell = Math.Min(states[^1]!.DecayStart ?? long.MaxValue, states[^1]!.DropStep ?? long.MaxValue);
        string[] touched = [.. checkpoints.Where((_, i) => states[i]!.Step > fell)];
        if (touched.Length > 0)
        {
            warn(
                $"the rate of the run fell after step {fell}, before {string.Join(", ", touched)}: a merge stands for a fall of its "
                + "own, take checkpoints up to that step");
        }

        return [.. states.Select(state => state!.Step)];
    }

    /// <summary>Writes the weighted sum as a folder that loads like each of them; it appears whole or not at all.</summary>
    /// <param name="checkpoints">Folders of one model, oldest first.</param>
    /// <param name="weights">As many, with a sum of 1.</param>
    /// <param name="output">A folder that does not exist yet.</param>
    /// <param name="cancellation">Ends it; nothing is left behind.</param>
    /// <exception cref="RunException">They are of different models, or hold types that cannot be added.</exception>
    /// <exception cref="DurableFolderException">One is damaged, or the output exists.</exception>
    public static void Merge(IReadOnlyList<string> checkpoints, IReadOnlyList<double> weights, string output,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(checkpoints);
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentOutOfRangeException.ThrowIfNotEqual(weights.Count, checkpoints.Count);
        string newest = checkpoints[^1];
        var config = ModelConfig.Load(newest);
        foreach (string checkpoint in checkpoints.Where(folder => ModelConfig.Load(folder) != config))
        {
            throw new RunException($"{checkpoint} and {newest} differ in their config.json: merge checkpoints of one model.");
        }

        foreach (string checkpoint in checkpoints.Distinct())
        {
            cancellation.ThrowIfCancellationRequested();
            CheckpointReader.Verify(checkpoint);
        }

        var models = new List<SafetensorsModel>();
        try
        {
            foreach (string checkpoint in checkpoints)
            {
                models.Add(SafetensorsModel.Open(Path.Combine(checkpoint, "model.safetensors") is var single
                    && File.Exists(single) ? single : checkpoint));
            }

            DurableFolder.Write(output, partial =>
            {
                foreach (string name in s_copied.Where(name => File.Exists(Path.Combine(newest, name))))
                {
                    File.Copy(Path.Combine(newest, name), Path.Combine(partial, name));
                }

                Write(models, checkpoints, weights, Path.Combine(partial, "model.safetensors"), cancellation);
            });
        }
        finally
        {
            models.ForEach(model => model.Dispose());
        }
    }

    private static void Write(
        List<SafetensorsModel> models, IReadOnlyList<string> checkpoints, IReadOnlyList<double> weights, string path,
        CancellationToken cancellation)
    {
        TensorEntry[] tensors = [.. models[^1].Names.Select(name => Find(models[^1], name, checkpoints[^1]).Entry)];
        using var writer = new SafetensorsWriter(path,
            [.. tensors.Select(tensor => new TensorSpec(tensor.Name, SafetensorsDType.F32, tensor.Shape))]);
        var sums = new double[Chunk];
        var values = new float[Chunk];
        foreach (TensorEntry tensor in tensors)
        {
            long length = tensor.Shape.Aggregate(1L, (product, dim) => product * dim);
            for (long first = 0; first < length; first += Chunk)
            {
                cancellation.ThrowIfCancellationRequested();
                int count = (int)Math.Min(Chunk, length - first);
                Array.Clear(sums);
                for (int m = 0; m < models.Count; m++)
                {
                    (SafetensorsFile file, TensorEntry entry) = Find(models[m], tensor.Name, checkpoints[m]);
                    if (!entry.Shape.AsSpan().SequenceEqual(tensor.Shape))
                    {
                        throw new RunException(
                            $"{checkpoints[m]}: {tensor.Name} has another shape than in {checkpoints[^1]}: merge checkpoints of one "
                            + "model.");
                    }

                    Read(file, entry, first, values.AsSpan(0, count));
                    for (int i = 0; i < count; i++)
                    {
                        sums[i] += weights[m] * values[i];
                    }
                }

                for (int i = 0; i < count; i++)
                {
                    values[i] = (float)sums[i];
                }

                writer.Write(tensor.Name, first * sizeof(float), MemoryMarshal.AsBytes(values.AsSpan(0, count)));
            }
        }

        writer.Complete();
    }

    private static (SafetensorsFile File, TensorEntry Entry) Find(SafetensorsModel model, string name, string checkpoint) =>
        model.TryGet(name, out SafetensorsFile file, out TensorEntry entry)
            ? (file, entry)
            : throw new RunException($"{checkpoint} has no tensor {name}: merge checkpoints of one model.");

    private static void Read(SafetensorsFile file, TensorEntry entry, long first, Span<float> values)
    {
        switch (entry.DType)
        {
            case SafetensorsDType.F32:
                file.Read(entry, first * sizeof(float), MemoryMarshal.AsBytes(values));
                break;
            case SafetensorsDType.BF16:
                var halves = new ushort[values.Length];
                file.Read(entry, first * sizeof(ushort), MemoryMarshal.AsBytes(halves.AsSpan()));
                for (int i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.UInt32BitsToSingle((uint)halves[i] << 16);
                }

                break;
            default:
                throw new RunException($"{file.Path}: {entry.Name} has type {entry.DType}: merge takes F32 and BF16.");
        }
    }
}
