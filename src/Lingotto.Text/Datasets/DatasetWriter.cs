using System.Runtime.InteropServices;

namespace Lingotto.Text;

/// <summary>Splits and writes encoded documents as they come, source after source.</summary>
internal sealed class DatasetWriter : IDisposable
{
    private readonly Func<string, Stream> _createFile;
    private readonly Tokenizer _tokenizer;
    private readonly DataBuildConfig _config;
    private readonly ContentSample _rule;
    private readonly SplitWriter _train;
    private readonly SplitWriter _heldOut;
    private readonly HeldOutText _heldOutText;
    private readonly SortedDictionary<int, long> _documentsOfLength = [];
    private readonly Dictionary<(int Source, string Language), LanguageSummary> _languages = [];
    private readonly SplitRanges[] _ranges;
    private int _source;

    // The document with the smallest key of a source waits here until the end of the source, so that a small source has a
    // held-out document too.
    private (KeptDocument Document, List<int> Ids, ulong Key)? _nextHeldOut;

    public DatasetWriter(Func<string, Stream> createFile, Tokenizer tokenizer, DataBuildConfig config, int sources)
    {
        (_createFile, _tokenizer, _config) = (createFile, tokenizer, config);
        _rule = new ContentSample(config.HeldOutFraction, config.Seed);
        _ranges = new SplitRanges[sources];
        _train = new SplitWriter("train", tokenizer.VocabSize, tokenizer.EndOfTextId, config.TokensPerShard, createFile);
        _heldOut = new SplitWriter("heldout", tokenizer.VocabSize, tokenizer.EndOfTextId, config.TokensPerShard, createFile);
        _heldOutText = new HeldOutText(createFile);
    }

    public long Tokens => _train.Tokens + _heldOut.Tokens;

    private SplitRanges Here => new(new SplitEnd(_train.Tokens, _train.Documents), new SplitEnd(_heldOut.Tokens, _heldOut.Documents));

    /// <param name="document">A document of the same source as the document before, or of a later source.</param>
    /// <param name="ids">The tokens of the document; the list is kept.</param>
    public void Add(in KeptDocument document, List<int> ids)
    {
        if (document.Source != _source)
        {
            EndSource(document.Source);
        }

        ulong key = _rule.KeyOf(document.Hash);
        if (_rule.Takes(key))
        {
            Write(document, ids, _heldOut);
            return;
        }

        (KeptDocument learnt, List<int> learntIds) = (document, ids);
        bool mayWait = _config.HeldOutFraction > 0 && _heldOut.Documents == _ranges[_source].HeldOut.Documents;
        if (mayWait && (_nextHeldOut is not { } waiting || key < waiting.Key))
        {
            (KeptDocument, List<int>, ulong)? passedOver = _nextHeldOut;
            _nextHeldOut = (document, ids, key);
            if (passedOver is null)
            {
                return;
            }

            (learnt, learntIds, _) = passedOver.Value;
        }

        Write(learnt, learntIds, _train);
    }

    public void Complete(DataMixture mixture, DataPipeline pipeline)
    {
        EndSource(_ranges.Length);
        if (_train.Documents == 0)
        {
            throw new InvalidDataException(
                $"{_train.Documents + _heldOut.Documents} documents left after the rules leave none to train on: {Remedy(pipeline)}");
        }

        SplitManifest train = _train.Complete(), heldOut = _heldOut.Complete();
        var manifest = new DataManifest
        {
            Version = DataManifest.CurrentVersion,
            TokenizerSha256 = _tokenizer.Fingerprint(),
            VocabSize = _tokenizer.VocabSize,
            EndOfTextId = _tokenizer.EndOfTextId,
            HeldOutFraction = _config.HeldOutFraction,
            Seed = _config.Seed,
            Train = train,
            HeldOut = heldOut,
            HeldOutGzipBytes = _heldOutText.Complete(),
            TokensPerDocument = TokensPerDocument.Of(_documentsOfLength),
            DocumentsForgotten = pipeline.Forgotten,
            Sources = [.. mixture.Sources.Select((source, i) => Summarise(source, i, pipeline.Sources[i]))],
        };
        using Stream file = _createFile(DataManifest.FileName);
        file.Write(manifest.ToJson());
    }

    public void Dispose()
    {
        _train.Dispose();
        _heldOut.Dispose();
        _heldOutText.Dispose();
    }

    /// <summary>Lets the document that waits go where it belongs and notes where the sources up to the next one end.</summary>
    private void EndSource(int next)
    {
        if (_nextHeldOut is { } waiting)
        {
            bool isAlone = _train.Documents == _ranges[_source].Train.Documents;
            bool hasHeldOut = _heldOut.Documents > _ranges[_source].HeldOut.Documents;
            Write(waiting.Document, waiting.Ids, hasHeldOut || isAlone ? _train : _heldOut);
            _nextHeldOut = null;
        }

        // Sources without a document begin and end where the next one begins.
        for (int source = _source + 1; source < _ranges.Length && source <= next; source++)
        {
            _ranges[source] = Here;
        }

        _source = next;
    }

    private void Write(in KeptDocument document, List<int> ids, SplitWriter split)
    {
        split.AddDocument(CollectionsMarshal.AsSpan(ids), document.Utf8.Length);
        _documentsOfLength[ids.Count] = _documentsOfLength.GetValueOrDefault(ids.Count) + 1;
        if (split == _heldOut)
        {
            _heldOutText.AddDocument(document.Utf8);
        }

        LanguageSummary sum = _languages.GetValueOrDefault((document.Source, document.Language))
            ?? new LanguageSummary(document.Language, 0, 0, 0);
        _languages[(document.Source, document.Language)] =
            new LanguageSummary(document.Language, sum.Documents + 1, sum.Tokens + ids.Count, sum.Utf8Bytes + document.Utf8.Length);
    }

    private SourceSummary Summarise(DataSource source, int number, SourceStatistics statistics)
    {
        SplitRanges begin = _ranges[number];
        SplitRanges end = number + 1 < _ranges.Length ? _ranges[number + 1] : Here;
        return new SourceSummary
        {
            Name = source.Name,
            Tier = source.Tier,
            Weight = source.Weight,
            Files = statistics.Report.Files,
            ReadDocuments = statistics.ReadDocuments,
            ReadBytes = statistics.ReadBytes,
            TrainStart = begin.Train.Tokens,
            TrainTokens = end.Train.Tokens - begin.Train.Tokens,
            TrainDocuments = end.Train.Documents - begin.Train.Documents,
            HeldOutStart = begin.HeldOut.Tokens,
            HeldOutTokens = end.HeldOut.Tokens - begin.HeldOut.Tokens,
            HeldOutDocuments = end.HeldOut.Documents - begin.HeldOut.Documents,
            Languages = [.. _languages.Where(pair => pair.Key.Source == number).Select(pair => pair.Value)
                .OrderByDescending(sum => sum.Utf8Bytes)],
            Reasons = statistics.Report.ByReason,
        };
    }

    private static string Remedy(DataPipeline pipeline)
    {
        ReasonCount? first = pipeline.Sources.SelectMany(source => source.Report.ByReason).MaxBy(reason => reason.Count);
        return "add documents or hold none out"
            + (first is null ? "" : $" (the most frequent reason to leave one out: {first.Reason}, {first.Count})");
    }

    private readonly record struct SplitEnd(long Tokens, long Documents);

    private readonly record struct SplitRanges(SplitEnd Train, SplitEnd HeldOut);
}
