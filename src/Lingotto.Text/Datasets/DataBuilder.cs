using System.Text;
using Lingotto.Formats;

namespace Lingotto.Text;

/// <summary>Builds a data folder from text: token shards of two splits, the held-out text, data.json.</summary>
/// <remarks>
/// Read, clean, judge, leave out exact then near duplicates, hold out, train a tokenizer unless one is given, encode, write. The
/// same input gives the same bytes on any number of threads. Documents are compared before any is held out, so no held-out
/// document has a duplicate in the training split. A hash of its text decides whether a document is held out, so that adding or
/// reordering documents changes the split of no other document.
/// </remarks>
public static class DataBuilder
{
    /// <summary>Builds the folder from files, which appears only when complete.</summary>
    /// <param name="mixture">The sources, read best tier first: of equal documents the one of the best tier is kept.</param>
    /// <param name="tokenizer">
    /// The tokenizer, which reads documents as plain text: a literal special token in them is not one. Null trains one of
    /// <see cref="DataBuildConfig.VocabSize"/>, which is written into the folder.
    /// </param>
    /// <param name="folder">A folder that does not exist yet.</param>
    /// <param name="config">Null for the defaults.</param>
    /// <param name="progress">Notified every few documents; null for no reports.</param>
    /// <param name="cancellationToken">Ends the build and removes the unfinished folder.</param>
    /// <exception cref="FileNotFoundException">A path is missing or holds nothing to read.</exception>
    /// <exception cref="DurableFolderException">The folder exists.</exception>
    /// <exception cref="IOException">The disk is full.</exception>
    /// <exception cref="InvalidDataException">The mixture is wrong, strict reading met a bad file, or too few documents are left
    /// to train on and hold out.</exception>
    public static TokenDataset Build(
        DataMixture mixture, Tokenizer? tokenizer, string folder, DataBuildConfig? config = null,
        IProgress<DataBuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (mixture.Faults() is { Count: > 0 } faults)
        {
            throw new InvalidDataException(string.Join("; ", faults));
        }
        // A stable sort: sources of one tier stay in the order they were given.
        mixture = mixture with { Sources = [.. mixture.Sources.OrderBy(source => source.Tier)] };
        foreach (DataSource source in mixture.Sources)
        {
            Corpus.Require(source.Paths, cancellationToken);
        }

        config ??= new DataBuildConfig();
        return Build(
            mixture, (number, report) => Corpus.Read(mixture.Sources[number].Paths, report, config.Reading, cancellationToken), tokenizer,
                folder,
            config, progress, cancellationToken);
    }

    /// <summary>Builds the folder from documents, as one source called <c>text</c>.</summary>
    /// <param name="documents">The documents, enumerated once.</param>
    /// <param name="tokenizer">The tokenizer; null trains one.</param>
    /// <param name="folder">A folder that does not exist yet.</param>
    /// <param name="config">Null for the defaults.</param>
    /// <param name="progress">Notified every few documents; null for no reports.</param>
    /// <param name="cancellationToken">Ends the build and removes the unfinished folder.</param>
    public static TokenDataset Build(
        IEnumerable<Document> documents, Tokenizer? tokenizer, string folder, DataBuildConfig? config = null,
        IProgress<DataBuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Build(DataMixture.Of([]), (_, _) => documents, tokenizer, folder, config, progress, cancellationToken);

    internal static void Fill(
        string folder, Func<string, Stream> createFile, DataMixture mixture, Func<int, CorpusReport, IEnumerable<Document>> read,
        Tokenizer? tokenizer, DataBuildConfig config, IProgress<DataBuildProgress>? progress, CancellationToken cancellationToken)
    {
        Validate(config);
        var pipeline = new DataPipeline(config, mixture.Sources.Count);
        IEnumerable<DocumentBatch> batches = Enumerable.Range(0, mixture.Sources.Count)
            .SelectMany(number => DocumentBatch.Of(read(number, pipeline.Sources[number].Report), number));
        IEnumerable<List<KeptDocument>> kept = pipeline.Keep(batches, cancellationToken);
        if (tokenizer is not null)
        {
            Write(kept, tokenizer);
            return;
        }

        using var spool = new TextSpool(Path.Combine(folder, "spool"));
        foreach (List<KeptDocument> documents in kept)
        {
            foreach (KeptDocument document in documents)
            {
                spool.Add(document);
            }

            Report("cleaning", 0);
        }

        tokenizer = TrainTokenizer(spool, config, progress, cancellationToken);
        using (Stream file = createFile(TokenDataset.TokenizerFileName))
        {
            file.Write(tokenizer.ToJson());
        }

        Write(spool.Read(), tokenizer);

        void Write(IEnumerable<List<KeptDocument>> documents, Tokenizer encoder)
        {
            using var writer = new DatasetWriter(createFile, encoder, config, mixture.Sources.Count);
            foreach ((List<KeptDocument> batch, List<int>[] ids) in OrderedWork.Map(
                documents, batch => Encode(batch, encoder), config.EffectiveThreads, cancellationToken))
            {
                for (int i = 0; i < ids.Length; i++)
                {
                    writer.Add(batch[i], ids[i]);
                }

                Report("encoding", writer.Tokens);
            }

            writer.Complete(mixture, pipeline);
        }

        void Report(string stage, long tokens) => progress?.Report(new DataBuildProgress(
            stage, pipeline.Sources.Sum(source => source.ReadDocuments), pipeline.Sources.Sum(source => source.ReadBytes), tokens));
    }

    private static TokenDataset Build(
        DataMixture mixture, Func<int, CorpusReport, IEnumerable<Document>> read, Tokenizer? tokenizer, string folder,
            DataBuildConfig? config,
        IProgress<DataBuildProgress>? progress, CancellationToken cancellationToken)
    {
        DurableFolder.Write(folder, unfinished => Fill(
            unfinished, name => new FileStream(Path.Combine(unfinished, name), FileMode.CreateNew, FileAccess.ReadWrite), mixture, read,
            tokenizer, config ?? new DataBuildConfig(), progress, cancellationToken));
        return TokenDataset.Open(folder);
    }

    /// <summary>Trains a tokenizer on a part of the training documents; held-out documents stay unseen.</summary>
    private static Tokenizer TrainTokenizer(
        TextSpool spool, DataBuildConfig config, IProgress<DataBuildProgress>? progress, CancellationToken cancellationToken)
    {
        var heldOut = new ContentSample(config.HeldOutFraction, config.Seed);
        var sample = new ContentSample(Math.Min(1, (double)config.VocabBytes / Math.Max(1, spool.Utf8Bytes)), ~config.Seed);
        return BpeTrainer.Train(
            spool.Read().SelectMany(documents => documents)
                .Where(document => !heldOut.Takes(document.Hash) && sample.Takes(document.Hash))
                .Select(document => Encoding.UTF8.GetString(document.Utf8)),
            new BpeTrainerConfig(config.VocabSize),
            progress is null ? null : new TrainingProgress(progress), cancellationToken);
    }

    private static (List<KeptDocument> Documents, List<int>[] Ids) Encode(List<KeptDocument> documents, Tokenizer tokenizer)
    {
        var ids = new List<int>[documents.Count];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = new List<int>((documents[i].Utf8.Length / 3) + 1);
            tokenizer.EncodeOrdinary(documents[i].Utf8, ids[i]);
        }

        return (documents, ids);
    }

    private static void Validate(DataBuildConfig config)
    {
        if (!(config.HeldOutFraction is >= 0 and <= 0.5))
        {
            throw new ArgumentException($"HeldOutFraction is {config.HeldOutFraction}; expected 0 to 0.5", nameof(config));
        }

        if (config.TokensPerShard < 1)
        {
            throw new ArgumentException($"TokensPerShard is {config.TokensPerShard}; expected at least 1", nameof(config));
        }

        if (config.Languages.Except(Language.All).FirstOrDefault() is { } unknown)
        {
            throw new ArgumentException($"language '{unknown}' is not known; expected some of {string.Join(", ", Language.All)}",
                nameof(config));
        }
    }

    private sealed class TrainingProgress(IProgress<DataBuildProgress> progress) : IProgress<BpeTrainingProgress>
    {
        public void Report(BpeTrainingProgress value) => progress.Report(new DataBuildProgress(
            FormattableString.Invariant($"training the tokenizer, {value.Merges} of {value.TotalMerges} merges"), value.Documents,
                value.Utf8Bytes, 0));
    }
}
