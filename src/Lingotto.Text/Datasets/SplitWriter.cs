using System.Buffers.Binary;

namespace Lingotto.Text;

/// <summary>Writes the shards of one split.</summary>
internal sealed class SplitWriter(
    string name, int vocabSize, int endOfTextId, long tokensPerShard, Func<string, Stream> createFile) : IDisposable
{
    private const int BufferLength = 1 << 16;

    private readonly int _bytesPerId = ShardFile.BytesPerId(vocabSize);
    private readonly byte[] _buffer = new byte[BufferLength];
    private readonly List<ShardManifest> _shards = [];
    private Stream? _file;
    private int _buffered;
    private long _tokensInShard;
    private long _documents;
    private long _tokens;
    private long _utf8Bytes;

    public long Documents => _documents;

    public long Tokens => _tokens;

    public void AddDocument(ReadOnlySpan<int> ids, int utf8Bytes)
    {
        foreach (int id in ids)
        {
            Add(id);
        }

        Add(endOfTextId);
        _documents++;
        _utf8Bytes += utf8Bytes;
    }

    /// <summary>Ends the last shard; an empty split has one empty shard.</summary>
    public SplitManifest Complete()
    {
        if (_shards.Count == 0 && _file is null)
        {
            BeginShard();
        }

        EndShard();
        return new SplitManifest(_documents, _tokens, _utf8Bytes, _shards);
    }

    public void Dispose() => _file?.Dispose();

    private void Add(int id)
    {
        if (_tokensInShard == tokensPerShard)
        {
            EndShard();
        }

        if (_file is null)
        {
            BeginShard();
        }

        if (_bytesPerId == 2)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_buffered), (ushort)id);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(_buffered), id);
        }

        _buffered += _bytesPerId;
        _tokensInShard++;
        _tokens++;
        if (_buffered == BufferLength)
        {
            FlushBuffer();
        }
    }

    private void BeginShard()
    {
        _file = createFile(ShardFile.NameOf(name, _shards.Count));
        _file.Write(ShardFile.Header(_bytesPerId, count: 0));
    }

    private void EndShard()
    {
        if (_file is null)
        {
            return;
        }

        FlushBuffer();
        _file.Position = 0;
        _file.Write(ShardFile.Header(_bytesPerId, _tokensInShard));
        _file.Dispose();
        _file = null;
        _shards.Add(new ShardManifest(ShardFile.NameOf(name, _shards.Count), _tokensInShard));
        _tokensInShard = 0;
    }

    private void FlushBuffer()
    {
        _file!.Write(_buffer, 0, _buffered);
        _buffered = 0;
    }
}
