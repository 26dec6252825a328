using System.Buffers.Binary;
using System.Text.Json;
using Lingotto.Formats;

namespace Lingotto.Diagnostics;

/// <summary>Damage to the newest of two checkpoints: it must be found, the tensor named, and the other one loaded.</summary>
internal sealed class BitSuite(TortureSession session)
{
    private const int Flips = 1000;

    private const string Promise = "found, file and tensor named, the checkpoint before loaded";

    private readonly string _folder = session.NewFolder("bits");
    private readonly Dictionary<string, byte[]> _sound = [];
    private string _earlierHash = "";

    private string Newest => Path.Combine(_folder, "step-000000002");

    public IEnumerable<TortureRow> Run()
    {
        using var state = new TortureState(session);
        _earlierHash = state.Save(_folder, 1);
        state.Save(_folder, 2);
        foreach (string path in Directory.GetFiles(Newest))
        {
            _sound[Path.GetFileName(path)] = File.ReadAllBytes(path);
        }

        int flips = session.Options.Trials ?? Flips;
        yield return Try(state, 0, "one flipped bit", flips, Flip);
        yield return Try(state, 1, "a file cut short", Math.Max(1, flips / 5),
            (random, name, bytes) => (bytes[..random.Next(bytes.Length)], null));
        yield return Try(state, 2, "two tensors exchanged", Math.Max(1, flips / 20), Exchange);
    }

    /// <summary>Which file is drawn by its bytes, now and then by its name, so that small ones have their turn.</summary>
    private TortureRow Try(TortureState state, int line, string name, int count, Func<Random, string, byte[],
        (byte[] Bytes, string? Tensor)> damage)
    {
        var tally = new Tally(TortureSuite.Bits, name, Promise);
        foreach (int trial in session.Trials(tally, count))
        {
            Random random = session.RandomOf(TortureSuite.Bits, line, trial);
            string file = random.Next(4) == 0 && line != 2 ? _sound.Keys.Order(StringComparer.Ordinal).ElementAt(random.Next(_sound.Count))
                : random.Next(3) == 0 ? "model.safetensors" : "optimizer.safetensors";
            (byte[] bytes, string? tensor) = damage(random, file, _sound[file]);
            File.WriteAllBytes(Path.Combine(Newest, file), bytes);
            tally.Add(trial, Check(state, file, tensor));
            Mend();
        }

        return tally.ToRow();
    }

    private string? Check(TortureState state, string file, string? tensor)
    {
        try
        {
            DurableFolder.Open(Newest).Verify();
            return $"damage to {file} was not found";
        }
        catch (DurableFolderException e)
        {
            // A manifest whose entry changed disagrees with a file; either may be the damaged one.
            if (file != "manifest.json" && (!e.Message.Contains(file, StringComparison.Ordinal)
                || (tensor is not null && !e.Message.Contains($"tensor '{tensor}'", StringComparison.Ordinal))))
            {
                return $"damage to {tensor ?? file} was reported as: {e.Message}";
            }
        }

        var warnings = new List<string>();
        (long? step, string hash) = state.Restore(_folder, warnings.Add);
        return step == 1 && hash == _earlierHash && warnings.Count == 1 ? null
            : $"damage to {file}: loaded step {step}, {warnings.Count} warnings";
    }

    private void Mend()
    {
        string aside = Path.Combine(_folder, "damaged-step-000000002");
        if (Directory.Exists(aside))
        {
            Directory.Move(aside, Newest);
        }

        foreach ((string name, byte[] bytes) in _sound)
        {
            File.WriteAllBytes(Path.Combine(Newest, name), bytes);
        }

        DurablePointer.Write(_folder, Path.GetFileName(Newest));
    }

    private static (byte[] Bytes, string? Tensor) Flip(Random random, string name, byte[] sound)
    {
        byte[] bytes = [.. sound];
        int at = random.Next(bytes.Length);
        bytes[at] ^= (byte)(1 << random.Next(8));
        return (bytes, Tensors(name, sound).FirstOrDefault(tensor => at >= tensor.Begin && at < tensor.End).Name);
    }

    /// <summary>The first of the two in the order of names is the one reported.</summary>
    private static (byte[] Bytes, string? Tensor) Exchange(Random random, string name, byte[] sound)
    {
        (string Name, int Begin, int End)[] all = [.. Tensors(name, sound)];
        (string Name, int Begin, int End) a = all[random.Next(all.Length)];
        (string Name, int Begin, int End)[] others = [.. all.Where(t => t.End - t.Begin == a.End - a.Begin && t.Name != a.Name
            && !sound.AsSpan(t.Begin, t.End - t.Begin).SequenceEqual(sound.AsSpan(a.Begin, a.End - a.Begin)))];
        if (others.Length == 0)
        {
            return Flip(random, name, sound);
        }

        (string Name, int Begin, int End) b = others[random.Next(others.Length)];
        byte[] bytes = [.. sound];
        sound.AsSpan(a.Begin, a.End - a.Begin).CopyTo(bytes.AsSpan(b.Begin));
        sound.AsSpan(b.Begin, b.End - b.Begin).CopyTo(bytes.AsSpan(a.Begin));
        return (bytes, string.CompareOrdinal(a.Name, b.Name) < 0 ? a.Name : b.Name);
    }

    /// <summary>Where tensors lie, read from the header by another reader than the one under test.</summary>
    private static IEnumerable<(string Name, int Begin, int End)> Tensors(string name, byte[] file)
    {
        if (!name.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            yield break;
        }

        int header = (int)BinaryPrimitives.ReadUInt64LittleEndian(file), start = sizeof(ulong) + header;
        using var json = JsonDocument.Parse(file.AsMemory(sizeof(ulong), header));
        foreach (JsonProperty tensor in json.RootElement.EnumerateObject().Where(tensor => tensor.Name != "__metadata__"))
        {
            JsonElement offsets = tensor.Value.GetProperty("data_offsets");
            yield return (tensor.Name, start + offsets[0].GetInt32(), start + offsets[1].GetInt32());
        }
    }
}
