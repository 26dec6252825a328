using System.Runtime.InteropServices;

namespace Lingotto.Text;

/// <summary>Deduplicates, splits, tokenises and writes documents as they come.</summary>
internal sealed class DatasetWriter : IDisposable
{
    private readonly Func<string, Stream> _createFile;
    private readonly Tokenizer _tokenizer;
    private readonly DataBuildConfig _config;
    private readonly HeldOutRule _rule;
    private readonly SplitWriter _train;
    private readonly SplitWriter _heldOut;
    private readonly HeldOutText _heldOutText;
    private readonly HashSet<UInt128> _seen = [];
    private readonly List<int> _ids = [];
    private readonly List<int> _lengths = [];
    private readonly OrderedDictionary<string, (long Documents, long Utf8Bytes)> _sources = [];
    private long _duplicates;
    private long _duplicateBytes;

    // So that something is held out of few documents too, the one of smallest key waits here until the end.
    private (byte[] Utf8, ulong Key)? _nextHeldOut;

    public DatasetWriter(Func<string, Stream> createFile, Tokenizer tokenizer, DataBuildConfig config)
    {
        (_createFile, _tokenizer, _config) = (createFile, tokenizer, config);
        _rule = new HeldOutRule(config.HeldOutFraction, config.Seed);
        _train = new SplitWriter("train", tokenizer.VocabSize, tokenizer.EndOfTextId, config.TokensPerShard, createFile);
        _heldOut = new SplitWriter("heldout", tokenizer.VocabSize, tokenizer.EndOfTextId, config.TokensPerShard, createFile);
        _heldOutText = new HeldOutText(createFile);
    }

    public long Tokens => _train.Tokens + _heldOut.Tokens;

    public void Add(byte[] utf8, string source)
    {
        UInt128 hash = TextHash.Of(utf8);
        if (!_seen.Add(hash))
        {
            _duplicates++;
            _duplicateBytes += utf8.Length;
            return;
        }

        (long documents, long bytes) = _sources.GetValueOrDefault(source);
        _sources[source] = (documents + 1, bytes + utf8.Length);
        ulong key = _rule.KeyOf(hash);
        if (_rule.IsHeldOut(key))
        {
            Write(utf8, _heldOut);
            return;
        }

        bool mayWait = _config.HeldOutFraction > 0 && _heldOut.Documents == 0;
        if (mayWait && (_nextHeldOut is null || key < _nextHeldOut.Value.Key))
        {
            byte[]? passedOver = _nextHeldOut?.Utf8;
            _nextHeldOut = (utf8, key);
            if (passedOver is null)
                return;
            utf8 = passedOver;
        }

        Write(utf8, _train);
    }

    public void Complete()
    {
        if (_nextHeldOut is { } waiting)
            Write(waiting.Utf8, _heldOut.Documents == 0 ? _heldOut : _train);
        if (_train.Documents == 0)
            throw new InvalidDataException(
                $"{_heldOut.Documents} distinct documents leave none to learn from: add documents or set HeldOutFraction to 0");
        SplitManifest train = _train.Complete(), heldOut = _heldOut.Complete();
        var manifest = new DataManifest
        {
            Version = DataManifest.CurrentVersion,
            TokenizerSha256 = _tokenizer.Fingerprint(),
            VocabSize = _tokenizer.VocabSize,
            EndOfTextId = _tokenizer.EndOfTextId,
            HeldOutFraction = _config.HeldOutFraction,
            Seed = _config.Seed,
            DuplicatesRemoved = _duplicates,
            DuplicateBytesRemoved = _duplicateBytes,
            Train = train,
            HeldOut = heldOut,
            HeldOutGzipBytes = _heldOutText.Complete(),
            TokensPerDocument = TokensPerDocument.Of(_lengths),
            Sources = [.. _sources.Select(source => new DatasetSource(source.Key, source.Value.Documents, source.Value.Utf8Bytes))],
        };
        using Stream file = _createFile(DataManifest.FileName);
        file.Write(manifest.ToJson());
        DataFolder.FlushToDisk(file);
    }

    public void Dispose()
    {
        _train.Dispose();
        _heldOut.Dispose();
        _heldOutText.Dispose();
    }

    private void Write(byte[] utf8, SplitWriter split)
    {
        _ids.Clear();
        _tokenizer.EncodeOrdinary(utf8, _ids);
        split.AddDocument(CollectionsMarshal.AsSpan(_ids), utf8.Length);
        _lengths.Add(_ids.Count);
        if (split == _heldOut)
            _heldOutText.AddDocument(utf8);
    }
}
