using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Formats;

/// <summary>The weights of a model folder: model.safetensors, or the shards that model.safetensors.index.json lists.</summary>
public sealed class SafetensorsModel : IDisposable
{
    private const string SingleName = "model.safetensors";
    private const string IndexName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, TensorEntry Entry)> _byName = new(StringComparer.Ordinal);

    private SafetensorsModel()
    {
    }

    /// <summary>The names of all tensors, sorted.</summary>
    public IReadOnlyList<string> Names { get; private set; } = [];

    /// <summary>The names, types and shapes of all tensors.</summary>
    public IEnumerable<TensorEntry> Tensors => _byName.Values.Select(place => place.Entry);

    /// <summary>Opens a folder, or a single safetensors file.</summary>
    /// <exception cref="SafetensorsException">Nothing to open, a file breaks the format, or a listed tensor is absent.</exception>
    public static SafetensorsModel Open(string path)
    {
        var model = new SafetensorsModel();
        try
        {
            string single = Directory.Exists(path) ? Path.Combine(path, SingleName) : path;
            string index = Path.Combine(path, IndexName);
            if (File.Exists(single))
            {
                model.AddAll(model.OpenFile(single));
            }
            else if (File.Exists(index))
            {
                model.AddShards(path, index);
            }
            else
            {
                throw new SafetensorsException(path, null, $"holds neither {SingleName} nor {IndexName}; give the folder of a model");
            }

            model.Names = [.. model._byName.Keys.Order(StringComparer.Ordinal)];
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Finds a tensor and the file that holds it.</summary>
    public bool TryGet(string name, out SafetensorsFile file, out TensorEntry entry)
    {
        bool found = _byName.TryGetValue(name, out (SafetensorsFile File, TensorEntry Entry) place);
        (file, entry) = place;
        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private SafetensorsFile OpenFile(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        return file;
    }

    private void AddAll(SafetensorsFile file)
    {
        foreach (TensorEntry entry in file.Tensors)
        {
            _byName.Add(entry.Name, (file, entry));
        }
    }

    /// <summary>Tensors that the shards hold beyond the index are ignored, as elsewhere.</summary>
    private void AddShards(string folder, string indexPath)
    {
        var shards = new Dictionary<string, SafetensorsFile>(StringComparer.Ordinal);
        foreach ((string tensor, string? shard) in ReadWeightMap(indexPath))
        {
            if (shard is null || !IsPlainName(shard))
            {
                throw new SafetensorsException(
                    indexPath, tensor, $"shard '{SafetensorsException.OneLine(shard ?? "null")}' is not a plain file name next to the "
                        + $"index; "
                        + "correct the index");
            }

            if (!shards.TryGetValue(shard, out SafetensorsFile? file))
            {
                shards.Add(shard, file = OpenFile(Path.Combine(folder, shard)));
            }

            if (!file.TryGet(tensor, out TensorEntry entry))
            {
                throw new SafetensorsException(file.Path, tensor, $"is listed by {IndexName} but absent; download or save the shard again");
            }

            _byName.Add(tensor, (file, entry));
        }
    }

    private static Dictionary<string, string?> ReadWeightMap(string indexPath)
    {
        try
        {
            using FileStream stream = File.OpenRead(indexPath);
            return JsonSerializer.Deserialize(stream, SafetensorsIndexJson.Default.SafetensorsIndex)?.WeightMap
                ?? throw new SafetensorsException(indexPath, null, "has no weight_map; download or save it again");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            throw new SafetensorsException(indexPath, null, "is not readable JSON with a weight_map; download or save it again", e);
        }
    }

    /// <summary>Whether a name has no separator, drive colon or dot folder of any system.</summary>
    private static bool IsPlainName(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal)
        && !name.Contains("..", StringComparison.Ordinal) && name.IndexOfAny(['/', '\\', ':', '\0']) < 0;
}

/// <summary>model.safetensors.index.json: which file holds which tensor.</summary>
internal sealed class SafetensorsIndex
{
    public Dictionary<string, string?>? WeightMap { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false, MaxDepth = 8)]
[JsonSerializable(typeof(SafetensorsIndex))]
internal sealed partial class SafetensorsIndexJson : JsonSerializerContext;
