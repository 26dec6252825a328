using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>manifest.json: size and hashes of every other file of a durable folder.</summary>
/// <remarks>
/// Its text is canonical: what is read must serialise to the same bytes, so that damage to the manifest either shows there or
/// disagrees with the files. Version 1 had SHA-256 and no member that says so.
/// </remarks>
internal sealed record DurableManifest(int Version, string? Hash, IReadOnlyList<DurableFileEntry> Files)
{
    public const string FileName = "manifest.json";
    private const int CurrentVersion = 2;
    private const string CurrentHash = "xxh128";
    private const int MaxLength = 1 << 28;

    /// <summary>Hashes all files of the folder but those known, and flushes each to disk.</summary>
    public static DurableManifest Seal(string folder, IReadOnlyList<DurableFileEntry> known)
    {
        var files = new List<DurableFileEntry>();
        foreach (string path in Directory.GetFileSystemEntries(folder).Order(StringComparer.Ordinal))
        {
            string name = Path.GetFileName(path);
            if (Directory.Exists(path) || name == FileName)
            {
                throw new DurableFolderException(path, "is a folder or the manifest's own name; put plain files of other names here");
            }

            if (known.FirstOrDefault(entry => entry.Name == name) is { } entry && entry.Size == new FileInfo(path).Length)
            {
                files.Add(entry);
                continue;
            }

            files.Add(Describe(path, HashKind.Xxh128));
            using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(file);
        }

        return new DurableManifest(CurrentVersion, CurrentHash, files);
    }

    public static DurableManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            if (new FileInfo(path).Length > MaxLength)
            {
                throw new DurableFolderException(path, "is too large to be a manifest; restore the folder from a copy");
            }

            byte[] bytes = File.ReadAllBytes(path);
            DurableManifest? manifest = JsonSerializer.Deserialize(bytes, Json.DurableManifest);
            if (manifest?.Files is null || manifest.Files.Any(file => file?.Name is null || !IsPlainName(file.Name))
                || !manifest.ToBytes().AsSpan().SequenceEqual(bytes))
            {
                throw new DurableFolderException(path, "is damaged; use an earlier folder or restore this one from a copy");
            }

            if ((manifest.Version, manifest.Hash) is not ((1, null) or (CurrentVersion, CurrentHash)))
            {
                throw new DurableFolderException(
                    path, $"has version {manifest.Version} and hash {manifest.Hash}, not {CurrentVersion} and {CurrentHash}; use a "
                        + "matching release");
            }

            return manifest;
        }
        catch (FileNotFoundException e)
        {
            throw new DurableFolderException(path, "is absent; the folder is incomplete or was not written by Lingotto", e);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw new DurableFolderException(path, $"cannot be read ({e.GetType().Name}); use an earlier folder or restore this one", e);
        }
    }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Json.DurableManifest);

    /// <summary>The entry of a file as it now is; safetensors are hashed tensor by tensor, so that damage has a name.</summary>
    private static DurableFileEntry Describe(string path, HashKind kind)
    {
        using SafeFileHandle handle = File.OpenHandle(path);
        long size = RandomAccess.GetLength(handle);
        if (path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            return new DurableFileEntry(
                Path.GetFileName(path), size, ContentHash.Of(handle, 0, file.DataStart, kind), HashTensors(handle, file, kind));
        }

        return new DurableFileEntry(Path.GetFileName(path), size, ContentHash.Of(handle, 0, size, kind), null);
    }

    private static SortedDictionary<string, string> HashTensors(SafeFileHandle handle, SafetensorsFile file, HashKind kind)
    {
        var byName = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (TensorEntry tensor in file.Tensors)
        {
            byName.Add(tensor.Name, ContentHash.Of(handle, file.DataStart + tensor.Begin, file.DataStart + tensor.End, kind));
        }

        return byName;
    }

    /// <summary>Compares a file with its entry, byte for byte through the hashes; null when they agree, else what differs.</summary>
    public string? FindDifference(string folder, DurableFileEntry expected)
    {
        DurableFileEntry actual;
        try
        {
            actual = Describe(Path.Combine(folder, expected.Name), Version == 1 ? HashKind.Sha256 : HashKind.Xxh128);
        }
        catch (Exception e) when (e is SafetensorsException or IOException or UnauthorizedAccessException)
        {
            return $"cannot be read ({e.GetType().Name})";
        }

        if (actual.Size != expected.Size)
        {
            return $"has {actual.Size} bytes where {expected.Size} were written";
        }

        if (actual.Hash != expected.Hash)
        {
            return expected.Tensors is null ? "has changed since it was written" : "has a header that changed since it was written";
        }

        foreach ((string tensor, string hash) in expected.Tensors ?? new Dictionary<string, string>())
        {
            if (actual.Tensors?.GetValueOrDefault(tensor) != hash)
            {
                return $"tensor '{SafetensorsException.OneLine(tensor)}' has changed since it was written";
            }
        }

        return null;
    }

    /// <summary>A name that cannot leave the folder on any system.</summary>
    private static bool IsPlainName(string name) =>
        name.Length > 0 && name is not ("." or "..") && name.IndexOfAny(['/', '\\', ':', '\0']) < 0;

    private static DurableManifestJson Json { get; } = new(new JsonSerializerOptions(DurableManifestJson.Default.Options)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    WriteIndented = true,
    NewLine = "\n")]
[JsonSerializable(typeof(DurableManifest))]
internal sealed partial class DurableManifestJson : JsonSerializerContext;
