using System.CommandLine;
using Lingotto.Text;

namespace Lingotto.Cli;

/// <summary>lingotto data: look at text before training on it, and turn it into tokens.</summary>
internal static class DataCommand
{
    private const string InspectExamples = """
        Count and show what is there.

        Examples:
          lingotto data inspect notes/ 'web/*.jsonl.gz'     what the rules would keep of a text, and why not the rest
          lingotto data inspect corpus-data                 what a built folder holds: sources, languages, tokens, reasons
          lingotto data inspect corpus-data --json          the same for programs
        """;

    private const string BuildExamples = """
        Turn text into packed tokens: clean, judge, leave out duplicates, hold some out, encode.

        Examples:
          lingotto data build notes/ --out notes-data                         train a tokenizer on the text, too
          lingotto data build notes/ --tokenizer tokenizer.json --out d       with a tokenizer that is there
          lingotto data build --mixture mixture.json --out d                  several sources with weights and tiers
          lingotto data build web/ --languages en,it,code --out d             leave out what is in other languages
        A mixture is { "sources": [ { "name": "web", "paths": ["web/"], "weight": 0.7, "tier": 2 }, ... ] }; docs/data.md has
        every stage, rule and reason.
        """;

    public static Command Create(CliContext context) =>
        new("data", "Look at text, or turn it into tokens.") { Inspect(context), Build(context) };

    private static Command Inspect(CliContext context)
    {
        var data = new Argument<string[]>("DATA")
        {
            Description = "Files, folders or globs of text, or a folder that data build wrote; .NET documentation when absent.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<bool> strict = StrictOption();
        var command = new Command("inspect", InspectExamples) { data, strict, GlobalOptions.Json };
        command.SetAction(parsed =>
        {
            string[] paths = parsed.GetValue(data) ?? [];
            bool asJson = parsed.GetValue(GlobalOptions.Json);
            if (paths is [var folder] && File.Exists(Path.Combine(folder, "data.json")))
            {
                using TokenDataset dataset = TokenDataset.Open(folder);
                DataView.Write(dataset.Describe(), asJson, context.Terminal.Out);
                return;
            }

            using var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet));
            CorpusSummary summary = CorpusInspector.Inspect(
                paths.Length > 0 ? paths : DotNetDocs.Find(),
                new DataBuildConfig
                {
                    Reading = new CorpusOptions { Strict = parsed.GetValue(strict) },
                    Threads = parsed.GetValue(GlobalOptions.Threads),
                },
                Progress(progress), context.Cancellation);
            progress.Dispose();
            DataView.Write(summary, asJson, context.Terminal.Out);
        });
        return command;
    }

    private static void RequireFraction(double fraction)
    {
        if (fraction is < 0 or > 0.5)
        {
            throw new UsageException(FormattableString.Invariant($"--held-out-fraction cannot be {fraction}: give 0 to 0.5"));
        }
    }

    private static Command Build(CliContext context)
    {
        var defaults = new DataBuildConfig();
        var data = new Argument<string[]>("DATA") { Description = "Text: files, folders or globs.", Arity = ArgumentArity.ZeroOrMore };
        var mixture = new Option<string?>("--mixture") { Description = "A JSON file of sources, in place of DATA.", HelpName = "FILE" };
        var tokenizer = new Option<string?>("--tokenizer")
        {
            Description = "A tokenizer.json; one is trained when absent.",
            HelpName = "FILE"
        };
        Option<int> vocabSize = NumberOption.Whole("--vocab-size", "Ids of a tokenizer that is trained.", defaults.VocabSize, least: 262);
        var output = new Option<string>("--out")
        {
            Description = "The folder to write; must not exist.",
            HelpName = "FOLDER",
            Required = true
        };
        Option<double> heldOut = NumberOption.Real(
            "--held-out-fraction", "Share of documents kept for evaluation, 0 to 0.5.", defaults.HeldOutFraction);
        var languages = new Option<string?>("--languages")
        {
            Description = $"Keep only these, separated by commas: {string.Join(", ", Language.All)}.",
            HelpName = "LIST",
        };
        Option<int> memory = NumberOption.Whole(
            "--dedup-memory", "MiB for remembering documents when duplicates are looked for.", (int)(defaults.MemoryBytes >> 20), least: 1);
        var keepAll = new Option<bool>("--keep-all") { Description = "No cleaning, no quality rules, exact duplicates only." };
        Option<bool> strict = StrictOption();
        var command = new Command("build", BuildExamples)
        {
            data, mixture, tokenizer, vocabSize, output, heldOut, languages, memory, keepAll, strict, GlobalOptions.Json,
        };
        command.SetAction(parsed =>
        {
            double fraction = parsed.GetValue(heldOut);
            RequireFraction(fraction);
            var config = new DataBuildConfig
            {
                HeldOutFraction = fraction,
                VocabSize = parsed.GetValue(vocabSize),
                Languages = LanguagesOf(parsed.GetValue(languages)),
                MemoryBytes = (long)parsed.GetValue(memory) << 20,
                Clean = !parsed.GetValue(keepAll),
                NearDuplicates = !parsed.GetValue(keepAll),
                Reading = new CorpusOptions { Strict = parsed.GetValue(strict) },
                Threads = parsed.GetValue(GlobalOptions.Threads),
            };
            config = parsed.GetValue(GlobalOptions.Seed) is { } seed ? config with { Seed = unchecked((int)seed) } : config;
            DataMixture text = MixtureOf(parsed.GetValue(data) ?? [], parsed.GetValue(mixture));
            using var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet));
            using TokenDataset dataset = DataBuilder.Build(
                text, parsed.GetValue(tokenizer) is { } given ? Tokenizer.Load(given) : null, parsed.GetRequiredValue(output), config,
                Progress(progress), context.Cancellation);
            progress.Dispose();
            DataView.Write(dataset.Describe(), parsed.GetValue(GlobalOptions.Json), context.Terminal.Out);
        });
        return command;
    }

    private static Option<bool> StrictOption() =>
        new("--strict") { Description = "Stop at a damaged or unreadable file, a pipe or a repeated link, instead of skipping it." };

    private static DataMixture MixtureOf(string[] paths, string? mixture) => (paths.Length > 0, mixture) switch
    {
        (true, null) => DataMixture.Of(paths),
        (false, { } file) => DataMixture.Load(file),
        (true, _) => throw new UsageException("DATA and --mixture are both given: name the paths in the mixture"),
        _ => throw new UsageException("nothing to build from: name DATA, or a mixture with --mixture FILE"),
    };

    private static string[] LanguagesOf(string? list)
    {
        string[] labels = list?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        return labels.Except(Language.All).FirstOrDefault() is { } unknown
            ? throw new UsageException($"--languages cannot hold '{unknown}': give some of {string.Join(", ", Language.All)}")
            : labels;
    }

    private static ImmediateProgress<DataBuildProgress> Progress(ProgressLine line)
    {
        long start = TimeProvider.System.GetTimestamp();
        return new ImmediateProgress<DataBuildProgress>(p => line.Report(() =>
        {
            double seconds = Math.Max(1e-3, TimeProvider.System.GetElapsedTime(start).TotalSeconds);
            string tokens = p.Tokens > 0 ? $", {Figures.Short(p.Tokens)} tokens" : "";
            return FormattableString.Invariant(
                $"{p.Stage}: {p.Documents:N0} documents, {Figures.Bytes(p.Utf8Bytes)}{tokens}, {p.Utf8Bytes / seconds / 1e6:F0} MB/s");
        }));
    }
}
