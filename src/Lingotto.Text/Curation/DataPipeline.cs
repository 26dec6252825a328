using System.Text;

namespace Lingotto.Text;

/// <summary>
/// Selects the documents to keep: cleaning, boilerplate, quality and language, exact duplicates, near duplicates.
/// </summary>
/// <remarks>
/// Stages that look at one document run on all threads; those that compare documents run on the thread that enumerates, in the
/// order of the input, so the result does not depend on the number of threads. A few batches are in flight, so memory does not
/// depend on the length of the input.
/// </remarks>
internal sealed class DataPipeline
{
    private readonly DataBuildConfig _config;
    private readonly DocumentJudge _judge;
    private readonly DuplicateIndex _duplicates;
    private readonly BoilerplateLines? _boilerplate;

    public DataPipeline(DataBuildConfig config, int sources)
    {
        _config = config;
        _judge = new DocumentJudge(config);
        _boilerplate = config.Clean ? new BoilerplateLines() : null;
        _duplicates = new DuplicateIndex(config.MemoryBytes);
        Sources = [.. Enumerable.Range(0, sources).Select(_ => new SourceStatistics())];
    }

    /// <summary>The counts of each source.</summary>
    public IReadOnlyList<SourceStatistics> Sources { get; }

    /// <summary>Documents that were forgotten because the memory for duplicates was full.</summary>
    public long Forgotten => _duplicates.Forgotten;

    /// <summary>Returns lists of documents to keep, in the order of the input.</summary>
    public IEnumerable<List<KeptDocument>> Keep(IEnumerable<DocumentBatch> batches, CancellationToken cancellationToken)
    {
        int threads = _config.EffectiveThreads;
        IEnumerable<CleanDocument[]> clean = OrderedWork.Map(batches, _judge.Clean, threads, cancellationToken).Select(WithoutBoilerplate);
        foreach (JudgedDocument[] judged in OrderedWork.Map(clean, _judge.Judge, threads, cancellationToken))
        {
            var kept = new List<KeptDocument>(judged.Length);
            foreach (JudgedDocument document in judged)
            {
                if (FaultOf(document) is { } reason)
                {
                    ReportOf(document.Clean).Add(reason, document.Clean.Origin.Source, document.Clean.Origin.Line, document.Utf8.Length,
                        Detail(reason, document));
                }
                else
                {
                    kept.Add(Count(document));
                }
            }

            yield return kept;
        }
    }

    private CleanDocument[] WithoutBoilerplate(CleanDocument[] documents)
    {
        foreach (CleanDocument document in documents)
        {
            CountRead(document);
            if (document.LineHashes is not { } hashes || _boilerplate?.Remove(document.Text, hashes) is not { } text)
            {
                continue;
            }

            ReportOf(document).Add(
                Reasons.Boilerplate, document.Origin.Source, document.Origin.Line,
                    Encoding.UTF8.GetByteCount(document.Text) - Encoding.UTF8.GetByteCount(text));
            document.Text = text;
        }

        return documents;
    }

    private void CountRead(CleanDocument document)
    {
        SourceStatistics source = Sources[document.Source];
        int utf8Bytes = Encoding.UTF8.GetByteCount(document.Origin.Text);
        source.ReadDocuments++;
        source.ReadBytes += utf8Bytes;
        if (document.HadMojibake)
        {
            source.Report.Add(Reasons.Mojibake, document.Origin.Source, document.Origin.Line, utf8Bytes);
        }

        if (document.HadControls)
        {
            source.Report.Add(Reasons.ControlCharacters, document.Origin.Source, document.Origin.Line, utf8Bytes);
        }
    }

    private string? FaultOf(JudgedDocument document) => document.Fault ?? _duplicates.Add(document.Signature!);

    private CorpusReport ReportOf(CleanDocument document) => Sources[document.Source].Report;

    private KeptDocument Count(JudgedDocument document)
    {
        SourceStatistics source = Sources[document.Clean.Source];
        source.Documents++;
        source.Utf8Bytes += document.Utf8.Length;
        (long documents, long bytes) = source.Languages.GetValueOrDefault(document.Clean.Language);
        source.Languages[document.Clean.Language] = (documents + 1, bytes + document.Utf8.Length);
        return new KeptDocument(document.Clean.Source, document.Clean.Language, document.Signature!.Hash, document.Utf8);
    }

    private static string? Detail(string reason, JudgedDocument document) => reason == Reasons.OtherLanguage ? document.Clean.Language
        : null;
}
