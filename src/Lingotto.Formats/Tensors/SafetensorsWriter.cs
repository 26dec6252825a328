using System.Buffers.Binary;

namespace Lingotto.Formats;

/// <summary>
/// Writes a safetensors file whose tensors are all declared beforehand: the header comes first, then the data in any order.
/// </summary>
/// <remarks>
/// Tensors are sorted by size of their elements, largest first, then by name, so that each is aligned. A path is written under a temporary
/// name next to it, flushed to disk and renamed by <see cref="Complete"/>; disposing before that removes the file.
/// </remarks>
public sealed class SafetensorsWriter : IDisposable
{
    private static readonly Dictionary<string, string> s_defaultMetadata = new() { ["format"] = "pt" };

    private readonly string _name;
    private readonly string? _path;
    private readonly string? _temporary;
    private readonly IDisk? _disk;
    private readonly IDiskFile _file;
    private readonly long _dataStart;
    private readonly Dictionary<string, (TensorEntry Entry, WrittenRanges Written, RunningHash Hash)> _byName = new(StringComparer.Ordinal);
    private readonly string _headerHash;
    private bool _isComplete;

    /// <summary>Creates a file; metadata defaults to {"format": "pt"}, which PyTorch's loaders expect.</summary>
    /// <exception cref="SafetensorsException">A tensor is declared twice or has no valid size.</exception>
    /// <exception cref="IOException">The disk reports an error, or has no space for the whole file.</exception>
    public SafetensorsWriter(
        string path, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string>? metadata = null, IDisk? disk = null)
    {
        _name = path;
        _path = Path.GetFullPath(path);
        _temporary = TemporaryName.NextTo(_path);
        _disk = disk ?? LocalDisk.Instance;
        (byte[] header, long length) = Declare(tensors, metadata);
        _dataStart = sizeof(ulong) + header.Length;
        _file = _disk.CreateFile(_temporary, _dataStart + length);
        try
        {
            _headerHash = WriteHeader(header);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Writes to a seekable stream, from its present position on; the stream stays open.</summary>
    /// <exception cref="SafetensorsException">A tensor is declared twice or has no valid size.</exception>
    public SafetensorsWriter(Stream stream, IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        _name = "stream";
        (byte[] header, long length) = Declare(tensors, metadata);
        _dataStart = sizeof(ulong) + header.Length;
        _file = new StreamFile(stream, _dataStart + length);
        _headerHash = WriteHeader(header);
    }

    /// <summary>Writes a whole tensor.</summary>
    /// <exception cref="SafetensorsException">The tensor is not declared, has another size, or was written before.</exception>
    public void Write(string name, ReadOnlySpan<byte> data)
    {
        TensorEntry entry = Find(name).Entry;
        if (data.Length != entry.ByteLength)
        {
            throw new SafetensorsException(_name, name, $"has {entry.ByteLength} bytes but was given {data.Length}; pass its whole data");
        }

        Write(name, 0, data);
    }

    /// <summary>Writes part of a tensor; parts come in any order and never overlap.</summary>
    /// <param name="name">A declared tensor.</param>
    /// <param name="offset">Where the part begins, in bytes from the tensor's first.</param>
    /// <param name="data">The part.</param>
    /// <exception cref="SafetensorsException">The tensor is not declared, or the part leaves it or was written before.</exception>
    public void Write(string name, long offset, ReadOnlySpan<byte> data)
    {
        (TensorEntry entry, WrittenRanges written, RunningHash hash) = Find(name);
        if (_isComplete || !written.TryAdd(offset, data.Length))
        {
            throw new SafetensorsException(
                _name, name, $"bytes {offset} to {offset + data.Length} of {entry.ByteLength} are outside or were written before; write "
                    + "each once");
        }

        _file.Write(data, _dataStart + entry.Begin + offset);
        hash.Add(offset, data);
    }

    /// <summary>Checks that every byte was written, flushes to disk and, for a path, gives the file its name.</summary>
    /// <exception cref="SafetensorsException">A tensor was not fully written.</exception>
    public void Complete()
    {
        foreach ((string name, (_, WrittenRanges written, _)) in _byName)
        {
            if (!written.IsComplete)
            {
                throw new SafetensorsException(_name, name, $"lacks {written.Missing} bytes; write every tensor before completing");
            }
        }

        _file.Flush();
        if (_path is not null)
        {
            _file.Dispose();
            _disk!.Rename(_temporary!, _path);
            _disk.FlushFolder(Path.GetDirectoryName(_path)!);
        }

        _isComplete = true;
    }

    /// <summary>
    /// The file as a manifest lists it, hashed from what was handed to the disk rather than read back from it; null where a
    /// tensor was written out of order. For a path, after <see cref="Complete"/>.
    /// </summary>
    public DurableFileEntry? Describe()
    {
        var tensors = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, (_, _, RunningHash hash)) in _byName)
        {
            if (hash.Result is not { } result)
            {
                return null;
            }

            tensors.Add(name, result);
        }

        long size = _dataStart + _byName.Values.Sum(tensor => tensor.Entry.ByteLength);
        return new DurableFileEntry(Path.GetFileName(_name), size, _headerHash, tensors);
    }

    /// <summary>Closes the file; without <see cref="Complete"/> it is removed.</summary>
    public void Dispose()
    {
        if (_temporary is null)
        {
            return;
        }

        _file.Dispose();
        if (!_isComplete)
        {
            TemporaryName.TryDelete(_disk!, _temporary);
        }
    }

    private (byte[] Header, long DataLength) Declare(IReadOnlyList<TensorSpec> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var entries = new List<TensorEntry>(tensors.Count);
        long begin = 0;
        foreach (TensorSpec tensor in tensors
            .OrderByDescending(tensor => SafetensorsDTypes.Bits(tensor.DType))
            .ThenBy(tensor => tensor.Name, StringComparer.Ordinal))
        {
            long length = SafetensorsDTypes.ByteLength(tensor.DType, tensor.Shape, _name, tensor.Name);
            if (length > long.MaxValue / 2 - begin)
            {
                throw new SafetensorsException(_name, tensor.Name, "the file would exceed 2^62 bytes; split it into shards");
            }

            var entry = new TensorEntry(tensor.Name, tensor.DType, [.. tensor.Shape], begin, begin + length);
            if (tensor.Name == "__metadata__" || !_byName.TryAdd(tensor.Name, (entry, new WrittenRanges(length), new RunningHash())))
            {
                throw new SafetensorsException(_name, tensor.Name, "is declared twice or has a reserved name; rename it");
            }

            entries.Add(entry);
            begin = entry.End;
        }

        byte[] header = new SafetensorsHeader(entries, metadata ?? s_defaultMetadata).ToBytes();
        return header.Length <= SafetensorsHeader.MaxLength ? (header, begin)
            : throw new SafetensorsException(
                _name, null, $"the header would exceed {SafetensorsHeader.MaxLength} bytes; split it into shards");
    }

    /// <summary>Returns the hash of all before the data.</summary>
    private string WriteHeader(byte[] header)
    {
        byte[] prefix = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
        _file.Write(prefix, 0);
        _file.Write(header, prefix.Length);
        return ContentHash.Of([.. prefix, .. header]);
    }

    private (TensorEntry Entry, WrittenRanges Written, RunningHash Hash) Find(string name) =>
        _byName.TryGetValue(name, out (TensorEntry, WrittenRanges, RunningHash) found) ? found
            : throw new SafetensorsException(_name, name, "is not declared; list it when creating the writer");

    /// <summary>A stream from its present position on.</summary>
    private sealed class StreamFile : IDiskFile
    {
        private readonly Stream _stream;
        private readonly long _start;

        public StreamFile(Stream stream, long length)
        {
            (_stream, _start) = (stream, stream.Position);
            stream.SetLength(_start + length);
        }

        public void Write(ReadOnlySpan<byte> data, long position)
        {
            _stream.Position = _start + position;
            _stream.Write(data);
        }

        public void Flush() => _stream.Flush();

        public void Dispose()
        {
        }
    }
}
