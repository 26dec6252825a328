namespace Lingotto.Text;

/// <summary>A data folder opened for reading. May be read from several threads.</summary>
public sealed class TokenDataset : IDisposable
{
    internal const string TokenizerFileName = "tokenizer.json";

    private readonly DataManifest _manifest;

    private TokenDataset(string folder, DataManifest manifest)
    {
        (Folder, _manifest) = (folder, manifest);
        Train = new TokenSplit(folder, manifest.Train, manifest.VocabSize, manifest.EndOfTextId);
        try
        {
            HeldOut = new TokenSplit(folder, manifest.HeldOut, manifest.VocabSize, manifest.EndOfTextId);
        }
        catch
        {
            Train.Dispose();
            throw;
        }
    }

    /// <summary>The path of the folder.</summary>
    public string Folder { get; }

    /// <summary>The training split.</summary>
    public TokenSplit Train { get; }

    /// <summary>The held-out split.</summary>
    public TokenSplit HeldOut { get; }

    /// <summary>The number of ids of the tokenizer.</summary>
    public int VocabSize => _manifest.VocabSize;

    /// <summary>The <see cref="Tokenizer.Fingerprint"/> of the tokenizer that encoded the documents.</summary>
    public string TokenizerFingerprint => _manifest.TokenizerSha256;

    /// <summary>Size of the held-out text after gzip at its smallest setting.</summary>
    public long HeldOutGzipBytes => _manifest.HeldOutGzipBytes;

    /// <summary>The sources, each a range of documents in both splits; best tier first.</summary>
    public IReadOnlyList<SourceSummary> Sources => _manifest.Sources;

    /// <summary>The path of the tokenizer that was trained while the folder was built; absent when a tokenizer was given.</summary>
    public string TokenizerPath => Path.Combine(Folder, TokenizerFileName);

    /// <summary>The held-out documents one after the other, as UTF-8 compressed by gzip.</summary>
    public string HeldOutTextPath => Path.Combine(Folder, HeldOutText.FileName);

    /// <summary>Opens a data folder and checks every file's header and length.</summary>
    /// <exception cref="FileNotFoundException">The folder is not a data folder, or a file is missing.</exception>
    /// <exception cref="InvalidDataException">A file is damaged.</exception>
    public static TokenDataset Open(string folder) => new(folder, DataManifest.Read(folder));

    /// <summary>Returns the figures of the folder.</summary>
    public DatasetSummary Describe() => DatasetSummary.Of(_manifest);

    /// <inheritdoc/>
    public void Dispose()
    {
        Train.Dispose();
        HeldOut.Dispose();
    }
}
