using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lingotto.Text;

/// <summary>The tokens of a split as one long row: documents one after the other, each ended by end-of-text.</summary>
public sealed class TokenSplit : IDisposable
{
    private readonly List<Shard> _shards = [];
    private readonly int _bytesPerId;
    private readonly int _vocabSize;

    internal TokenSplit(string folder, SplitManifest manifest, int vocabSize, int endOfTextId)
    {
        (_vocabSize, EndOfTextId) = (vocabSize, endOfTextId);
        (Documents, Utf8Bytes) = (manifest.Documents, manifest.Utf8Bytes);
        _bytesPerId = ShardFile.BytesPerId(vocabSize);
        try
        {
            foreach (ShardManifest shard in manifest.Shards)
            {
                _shards.Add(OpenShard(Path.Combine(folder, Path.GetFileName(shard.File)), shard.Tokens));
                Count = checked(Count + shard.Tokens);
            }

            if (Count != manifest.Tokens)
            {
                throw new InvalidDataException(
                    $"{folder}: the shards hold {Count} tokens, {DataManifest.FileName} says {manifest.Tokens}; build the data again");
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Number of tokens, with one end-of-text for each document.</summary>
    public long Count { get; }

    /// <summary>Number of documents.</summary>
    public long Documents { get; }

    /// <summary>UTF-8 bytes of the documents' text.</summary>
    public long Utf8Bytes { get; }

    /// <summary>The id that ends a document.</summary>
    public int EndOfTextId { get; }

    /// <summary>Reads <paramref name="ids"/>.Length tokens from token number <paramref name="start"/> on. Allocates nothing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not all inside the split.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public void Read(long start, Span<int> ids)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, Count - ids.Length);
        foreach (Shard shard in CollectionsMarshal.AsSpan(_shards))
        {
            if (ids.IsEmpty)
            {
                break;
            }

            if (start < shard.Count)
            {
                int count = (int)Math.Min(ids.Length, shard.Count - start);
                ReadShard(shard, start, ids[..count]);
                ids = ids[count..];
                start += count;
            }

            start -= shard.Count;
        }
    }

    /// <summary>A run of tokens as a split of its own; valid as long as this one, which it reads from.</summary>
    internal TokenRange Part(long start, long count) => new(this, start, count);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Shard shard in _shards)
        {
            shard.File.Dispose();
        }
    }

    private void ReadShard(Shard shard, long start, Span<int> ids)
    {
        // Narrow ids are read into the back half of the span and widened from its front: the front never overtakes the back.
        Span<byte> raw = MemoryMarshal.AsBytes(ids)[(ids.Length * (sizeof(int) - _bytesPerId))..];
        long offset = ShardFile.HeaderLength + (start * _bytesPerId);
        for (int done = 0; done < raw.Length;)
        {
            int count = RandomAccess.Read(shard.File, raw[done..], offset + done);
            if (count == 0)
            {
                throw new InvalidDataException($"{shard.Path}: ends before token {start + ids.Length}; build the data again");
            }

            done += count;
        }

        for (int i = 0; i < ids.Length; i++)
        {
            int id = _bytesPerId == 2
                ? BinaryPrimitives.ReadUInt16LittleEndian(raw[(i * 2)..])
                : BinaryPrimitives.ReadInt32LittleEndian(raw[(i * 4)..]);
            if ((uint)id >= (uint)_vocabSize)
            {
                throw new InvalidDataException(
                    $"{shard.Path}: token {start + i} has id {id}, beyond the vocabulary of {_vocabSize}; build the data again");
            }

            ids[i] = id;
        }
    }

    private Shard OpenShard(string path, long count)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path, options: FileOptions.RandomAccess);
        }
        catch (FileNotFoundException fault)
        {
            throw new FileNotFoundException($"{path}: missing from the data folder; build the data again", path, fault);
        }

        try
        {
            Span<byte> header = stackalloc byte[ShardFile.HeaderLength];
            int length = RandomAccess.Read(file, header, fileOffset: 0);
            ShardFile.Require(header[..length], RandomAccess.GetLength(file), _bytesPerId, count, path);
            return new Shard(path, file, count);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private readonly record struct Shard(string Path, SafeFileHandle File, long Count);
}
