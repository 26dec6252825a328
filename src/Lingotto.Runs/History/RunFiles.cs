using System.Security.Cryptography;
using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>The other files of a run folder for its report: what cannot be read is absent, for a run may be writing it.</summary>
internal sealed class RunFiles(string folder)
{
    private const long MaxText = 1 << 22;

    private readonly Dictionary<string, (long Length, DateTime Written, string Hash)> _hashes = [];

    public string Folder => folder;

    public string At(params ReadOnlySpan<string> names) => Path.Combine([folder, .. names]);

    /// <summary>The value of a JSON file of at most 4 MiB; null where there is none.</summary>
    public static JsonElement? Json(string path)
    {
        try
        {
            return Text(path) is { } text ? JsonElement.Parse(text) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A file of at most 4 MiB; null where there is none.</summary>
    public static string? Text(string path)
    {
        try
        {
            var info = new FileInfo(path);
            return info.Exists && info.Length <= MaxText ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Folders in a folder, by name; none where it is absent.</summary>
    public static IReadOnlyList<string> Folders(string path, string pattern)
    {
        try
        {
            return Directory.Exists(path) ? [.. Directory.EnumerateDirectories(path, pattern).Order(StringComparer.Ordinal)] : [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Bytes of a file; null where there is none.</summary>
    public static long? Length(string path) => new FileInfo(path) is { Exists: true } info ? info.Length : null;

    /// <summary>SHA-256 of a file in hexadecimal, computed again only when the file changed; null where it cannot be read.</summary>
    public string? Sha256(string path)
    {
        try
        {
            var info = new FileInfo(path);
            if (!info.Exists)
            {
                return null;
            }

            if (_hashes.TryGetValue(path, out var known) && known.Length == info.Length && known.Written == info.LastWriteTimeUtc)
            {
                return known.Hash;
            }

            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            string hash = Convert.ToHexStringLower(SHA256.HashData(file));
            _hashes[path] = (info.Length, info.LastWriteTimeUtc, hash);
            return hash;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
