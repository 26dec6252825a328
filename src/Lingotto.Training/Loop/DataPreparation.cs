using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Text to a tokenizer and a packed dataset in the run folder, once; a resumed run finds them there.</summary>
internal static class DataPreparation
{
    public static (Tokenizer Tokenizer, TokenDataset Data) Run(
        Recipe recipe, ModelConfig config, RunFolder folder, IRunObserver observer, CancellationToken cancellation)
    {
        // A crash between the two leaves the packed data with the tokenizer that was trained for it.
        bool isPacked = IsPacked(folder.Path);
        Tokenizer? tokenizer = File.Exists(folder.Tokenizer) ? Tokenizer.Load(folder.Tokenizer)
            : recipe.Data.Tokenizer is { } given ? Tokenizer.Load(given)
            : null;
        Require(tokenizer, config, folder.Tokenizer);
        if (isPacked)
        {
            Verify(folder.Data, observer);
        }

        TokenDataset data = isPacked ? TokenDataset.Open(folder.Data) : Pack(recipe, config, tokenizer, folder, observer, cancellation);
        try
        {
            tokenizer ??= Tokenizer.Load(data.TokenizerPath);
            Require(tokenizer, config, data.TokenizerPath);
            if (data.TokenizerFingerprint != tokenizer.Fingerprint())
            {
                throw new RunException(
                    $"{folder.Data} was packed with another tokenizer than {folder.Tokenizer}: start over with --fresh.");
            }

            if (!File.Exists(folder.Tokenizer))
            {
                tokenizer.Save(folder.Tokenizer);
            }

            return (tokenizer, data);
        }
        catch
        {
            data.Dispose();
            throw;
        }
    }

    /// <summary>A token that changed on disk would train on in silence: the packed text is read once against its hashes.</summary>
    private static void Verify(string folder, IRunObserver observer)
    {
        observer.Preparing("verifying the packed text", null);
        try
        {
            DurableFolder.Open(folder).Verify();
        }
        catch (DurableFolderException e)
        {
            throw new RunException($"{e.Message.Split(';')[0]}: restore {folder} from a copy, or start over with --fresh.", e);
        }
    }

    /// <summary>Whether a run folder has its text as tokens, and so needs the text no more.</summary>
    public static bool IsPacked(string runFolder) => Directory.Exists(RunFolder.DataOf(runFolder));

    /// <summary>Refuses missing text before a run folder is touched.</summary>
    public static void RequireSources(Recipe recipe)
    {
        foreach (DataSource source in MixtureOf(recipe).Sources)
        {
            Corpus.Require(source.Paths);
        }

        if (recipe.Data.Tokenizer is { } tokenizer && !File.Exists(tokenizer))
        {
            throw new RunException(
                $"data.tokenizer: {tokenizer} does not exist: give a tokenizer.json, or leave the key out to train one.");
        }
    }

    private static void Require(Tokenizer? tokenizer, ModelConfig config, string path)
    {
        if (tokenizer?.VocabSize > config.VocabSize)
        {
            throw new RunException(
                $"{path} has {tokenizer.VocabSize} tokens, the model vocab_size {config.VocabSize}: use a model with a larger "
                + "vocab_size or another tokenizer.");
        }
    }

    private static TokenDataset Pack(
        Recipe recipe, ModelConfig config, Tokenizer? tokenizer, RunFolder folder, IRunObserver observer, CancellationToken cancellation)
    {
        observer.Preparing("reading text", null);
        var build = new DataBuildConfig
        {
            HeldOutFraction = recipe.Data.HeldOutFraction,
            Seed = unchecked((int)recipe.Training.Seed),
            VocabSize = config.VocabSize,
        };
        return DataBuilder.Build(
            MixtureOf(recipe), tokenizer, folder.Data, build,
            new Reporter<DataBuildProgress>(p => observer.Preparing(
                FormattableString.Invariant($"{p.Stage}: {p.Documents:N0} documents, {p.Utf8Bytes / 1e6:F0} MB")
                + (p.Tokens > 0 ? FormattableString.Invariant($", {p.Tokens / 1e6:F1}M tokens") : ""), null)),
            cancellation);
    }

    private static DataMixture MixtureOf(Recipe recipe) => recipe.Data.Sources.Count > 0
        ? new DataMixture(recipe.Data.Sources)
        : DataMixture.Of(recipe.Data.Paths.Count > 0 ? recipe.Data.Paths : DotNetDocs.Find());

    /// <summary>
    /// Reports on the calling thread, at most ten times a second; Progress&lt;T&gt; would hop threads and arrive out of order.
    /// </summary>
    private sealed class Reporter<T>(Action<T> report) : IProgress<T>
    {
        private long _last;

        public void Report(T value)
        {
            if (Environment.TickCount64 - _last >= 100)
            {
                _last = Environment.TickCount64;
                report(value);
            }
        }
    }
}
