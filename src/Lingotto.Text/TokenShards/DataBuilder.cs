using System.Text;

namespace Lingotto.Text;

/// <summary>Turns documents into a data folder: token shards of two splits, the held-out text, data.json.</summary>
/// <remarks>
/// Exact duplicates go first, so that no held-out document is also learnt from. A document is held out by a hash of its text:
/// adding or reordering documents moves no other one.
/// </remarks>
public static class DataBuilder
{
    private const int DocumentsPerReport = 64;

    /// <summary>Builds the folder, which appears only when complete.</summary>
    /// <param name="documents">What to tokenise, read once.</param>
    /// <param name="tokenizer">Documents are plain text to it: a literal special token in them is not one.</param>
    /// <param name="folder">A folder that does not exist yet.</param>
    /// <param name="config">Null for the defaults.</param>
    /// <param name="progress">Told every few documents.</param>
    /// <param name="cancellationToken">Ends the build; nothing is left behind.</param>
    /// <exception cref="IOException">The folder exists, or the disk is full.</exception>
    /// <exception cref="InvalidDataException">There are too few documents to learn from and hold some out.</exception>
    public static TokenDataset Build(
        IEnumerable<Document> documents, Tokenizer tokenizer, string folder, DataBuildConfig? config = null,
        IProgress<DataBuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        using (var target = new DataFolder(folder))
        {
            Fill(target.CreateFile, documents, tokenizer, config ?? new DataBuildConfig(), progress, cancellationToken);
            target.Publish();
        }

        return TokenDataset.Open(folder);
    }

    internal static void Fill(
        Func<string, Stream> createFile, IEnumerable<Document> documents, Tokenizer tokenizer, DataBuildConfig config,
        IProgress<DataBuildProgress>? progress, CancellationToken cancellationToken)
    {
        Validate(config);
        using var build = new DatasetWriter(createFile, tokenizer, config);
        long documentCount = 0, utf8Bytes = 0;
        foreach (Document document in documents)
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[] utf8 = Encoding.UTF8.GetBytes(document.Text);
            build.Add(utf8, document.Source);
            utf8Bytes += utf8.Length;
            if (++documentCount % DocumentsPerReport == 0)
                progress?.Report(new DataBuildProgress(documentCount, utf8Bytes, build.Tokens));
        }

        build.Complete();
        progress?.Report(new DataBuildProgress(documentCount, utf8Bytes, build.Tokens));
    }

    private static void Validate(DataBuildConfig config)
    {
        if (!(config.HeldOutFraction is >= 0 and <= 0.5))
            throw new ArgumentException($"HeldOutFraction is {config.HeldOutFraction}; expected 0 to 0.5", nameof(config));
        if (config.TokensPerShard < 1)
            throw new ArgumentException($"TokensPerShard is {config.TokensPerShard}; expected at least 1", nameof(config));
    }
}
