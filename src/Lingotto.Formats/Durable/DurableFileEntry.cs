namespace Lingotto.Formats;

/// <summary>A file as the manifest of a <see cref="DurableFolder"/> lists it. Hashes are <see cref="ContentHash"/>.</summary>
/// <param name="Name">Its name in the folder.</param>
/// <param name="Size">Its bytes.</param>
/// <param name="Hash">Of the whole file, or of the header alone (all bytes before the data) when tensors are listed.</param>
/// <param name="Tensors">The hash of each tensor of a safetensors file, by name; null for other files.</param>
public sealed record DurableFileEntry(string Name, long Size, string Hash, IReadOnlyDictionary<string, string>? Tensors);
