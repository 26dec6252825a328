using System.Collections.Concurrent;
using System.Text;

namespace Lingotto.Text;

/// <summary>Runs the two stages that look at one document alone, on any number of threads.</summary>
internal sealed class DocumentJudge(DataBuildConfig config)
{
    private readonly ConcurrentBag<Workspace> _workspaces = [];
    private readonly HashSet<string> _languages = new(config.Languages, StringComparer.Ordinal);

    /// <summary>Cleaning and language.</summary>
    public CleanDocument[] Clean(DocumentBatch batch) => [.. batch.Documents.Select(document => Clean(document, batch.Source))];

    /// <summary>Quality and signature.</summary>
    public JudgedDocument[] Judge(CleanDocument[] documents)
    {
        Workspace workspace = _workspaces.TryTake(out Workspace? idle) ? idle : new Workspace();
        JudgedDocument[] judged = [.. documents.Select(document => Judge(document, workspace))];
        _workspaces.Add(workspace);
        return judged;
    }

    private CleanDocument Clean(Document document, int source)
    {
        (bool hadMojibake, bool hadControls) = (false, false);
        string text = config.Clean ? TextCleaner.Clean(document.Text, out hadMojibake, out hadControls) : document.Text;
        string language = LanguageIdentifier.Identify(text);
        return new CleanDocument
        {
            Origin = document,
            Source = source,
            Text = text,
            Language = language,
            // Members of XML documentation are deduplicated one by one as they are read; their lines belong to headings.
            LineHashes = config.Clean && !IsReference(document, language) ? BoilerplateLines.HashLines(text, (ulong)source) : null,
            HadMojibake = hadMojibake,
            HadControls = hadControls,
        };
    }

    private JudgedDocument Judge(CleanDocument document, Workspace workspace)
    {
        ReadOnlySpan<uint> shingles = config.Clean || config.NearDuplicates ? workspace.Hasher.Hash(document.Text) : [];
        string? fault = config.Clean
            ? QualityRules.FindFault(
                document.Text, document.Language == Language.Code, IsReference(document.Origin, document.Language), shingles.Length,
                workspace.CountDistinct(shingles))
            : null;
        if (fault is null && _languages.Count > 0 && !_languages.Contains(document.Language))
        {
            fault = Reasons.OtherLanguage;
        }

        byte[] utf8 = Encoding.UTF8.GetBytes(document.Text);
        return new JudgedDocument(document, utf8, fault, fault is null ? Sign(utf8, shingles, workspace) : null);
    }

    private static bool IsReference(Document document, string language) =>
        language == Language.Code || CorpusFiles.FormatOf(document.Source) == ".xml";

    private Signature Sign(byte[] utf8, ReadOnlySpan<uint> shingles, Workspace workspace)
    {
        UInt128 hash = TextHash.Of(utf8);
        // A text without words has no set of shingles to compare.
        if (!config.NearDuplicates || shingles.IsEmpty)
        {
            return new Signature(hash, [], []);
        }

        MinHash.Compute(shingles, workspace.Minima);
        var signature = new Signature(hash, new uint[MinHash.Bands], new byte[MinHash.FingerprintLength]);
        MinHash.BandKeys(workspace.Minima, signature.Keys);
        MinHash.Fingerprint(workspace.Minima, signature.Fingerprint);
        return signature;
    }

    private sealed class Workspace
    {
        private readonly HashSet<uint> _distinct = [];

        public ShingleHasher Hasher { get; } = new();

        public uint[] Minima { get; } = new uint[MinHash.Functions];

        public int CountDistinct(ReadOnlySpan<uint> shingles)
        {
            _distinct.Clear();
            foreach (uint shingle in shingles)
            {
                _distinct.Add(shingle);
            }

            return _distinct.Count;
        }
    }
}
