using Lingotto.Formats;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Text to a tokenizer and a packed dataset in the run folder, once; a resumed run finds them there.</summary>
internal static class DataPreparation
{
    public static (Tokenizer Tokenizer, TokenDataset Data) Run(
        Recipe recipe, ModelConfig config, RunFolder folder, IRunObserver observer, CancellationToken cancellation)
    {
        Tokenizer tokenizer = TokenizerOf(recipe, config, folder, observer, cancellation);
        if (tokenizer.VocabSize > config.VocabSize)
        {
            throw new RunException(
                $"{folder.Tokenizer} has {tokenizer.VocabSize} tokens, the model vocab_size {config.VocabSize}: use a model with a larger vocab_size or another tokenizer.");
        }

        if (Directory.Exists(folder.Data))
        {
            TokenDataset packed = TokenDataset.Open(folder.Data);
            if (packed.TokenizerFingerprint == tokenizer.Fingerprint())
            {
                return (tokenizer, packed);
            }

            packed.Dispose();
            throw new RunException($"{folder.Data} was packed with another tokenizer than {folder.Tokenizer}: start over with --fresh.");
        }

        observer.Preparing("packing tokens", null);
        var build = new DataBuildConfig { HeldOutFraction = recipe.Data.HeldOutFraction, Seed = unchecked((int)recipe.Training.Seed) };
        TokenDataset data = DataBuilder.Build(
            Corpus.Read(Paths(recipe), cancellationToken: cancellation), tokenizer, folder.Data, build,
            new Reporter<DataBuildProgress>(p => observer.Preparing(
                FormattableString.Invariant($"packing tokens: {p.Documents:N0} documents, {p.Tokens / 1e6:F1}M tokens"), null)),
            cancellation);
        return (tokenizer, data);
    }

    /// <summary>Refuses missing text before a run folder is touched.</summary>
    public static void RequireSources(Recipe recipe)
    {
        Corpus.Require(Paths(recipe));
        if (recipe.Data.Tokenizer is { } tokenizer && !File.Exists(tokenizer))
        {
            throw new RunException($"data.tokenizer: {tokenizer} does not exist: give a tokenizer.json, or leave the key out to train one.");
        }
    }

    private static Tokenizer TokenizerOf(
        Recipe recipe, ModelConfig config, RunFolder folder, IRunObserver observer, CancellationToken cancellation)
    {
        if (File.Exists(folder.Tokenizer))
        {
            return Tokenizer.Load(folder.Tokenizer);
        }

        Tokenizer tokenizer;
        if (recipe.Data.Tokenizer is { } given)
        {
            tokenizer = Tokenizer.Load(given);
        }
        else
        {
            observer.Preparing("training the tokenizer", null);
            tokenizer = BpeTrainer.Train(
                Corpus.Read(Paths(recipe), cancellationToken: cancellation).Select(document => document.Text),
                new BpeTrainerConfig(config.VocabSize),
                new Reporter<BpeTrainingProgress>(p => observer.Preparing(
                    FormattableString.Invariant($"training the tokenizer: {p.Utf8Bytes / 1e6:F0} MB read, {p.Merges:N0} of {p.TotalMerges:N0} merges"),
                    p.Merges / (double)Math.Max(1, p.TotalMerges))),
                cancellation);
        }

        tokenizer.Save(folder.Tokenizer);
        return tokenizer;
    }

    private static IReadOnlyList<string> Paths(Recipe recipe) => recipe.Data.Paths.Count > 0 ? recipe.Data.Paths : DotNetDocs.Find();

    /// <summary>Reports on the calling thread, at most ten times a second; Progress&lt;T&gt; would hop threads and arrive out of order.</summary>
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
