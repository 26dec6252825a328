using System.CommandLine;
using System.Text;
using Lingotto.Text;

namespace Lingotto.Cli;

/// <summary>lingotto data: look at text before training on it, and turn it into tokens.</summary>
internal static class DataCommand
{
    public static Command Create(CliContext context) =>
        new("data", "Look at text, or turn it into tokens.") { Inspect(context), Build(context) };

    private static Command Inspect(CliContext context)
    {
        var data = new Argument<string[]>("DATA")
        {
            Description = "Files, folders or globs of text, or a folder that data build wrote; .NET documentation when absent.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("inspect", "Count and show what is there.") { data };
        command.SetAction(parsed =>
        {
            string[] paths = parsed.GetValue(data) ?? [];
            if (paths is [var folder] && File.Exists(Path.Combine(folder, "data.json")))
            {
                using TokenDataset dataset = TokenDataset.Open(folder);
                WriteSummary(dataset.Describe(), context.Terminal.Out);
                return;
            }

            using var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet));
            InspectText(paths.Length > 0 ? paths : DotNetDocs.Find(), progress, context);
        });
        return command;
    }

    private static Command Build(CliContext context)
    {
        var data = new Argument<string[]>("DATA") { Description = "Text: files, folders or globs.", Arity = ArgumentArity.OneOrMore };
        var tokenizer = new Option<string>("--tokenizer") { Description = "A tokenizer.json.", HelpName = "FILE", Required = true };
        var output = new Option<string>("--out") { Description = "The folder to write; must not exist.", HelpName = "FOLDER", Required = true };
        Option<double> heldOut = NumberOption.Real(
            "--held-out-fraction", "Share of documents kept for evaluation, 0 to 0.5.", new DataBuildConfig().HeldOutFraction);
        var command = new Command("build", "Turn text into packed tokens.") { data, tokenizer, output, heldOut };
        command.SetAction(parsed =>
        {
            double fraction = parsed.GetValue(heldOut);
            if (fraction is < 0 or > 0.5)
                throw new UsageException(FormattableString.Invariant($"--held-out-fraction cannot be {fraction}: give 0 to 0.5"));
            var config = new DataBuildConfig { HeldOutFraction = fraction };
            if (parsed.GetValue(GlobalOptions.Seed) is { } seed)
                config = config with { Seed = unchecked((int)seed) };
            using var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet));
            using TokenDataset dataset = DataBuilder.Build(
                Corpus.Read(parsed.GetRequiredValue(data), cancellationToken: context.Cancellation),
                Tokenizer.Load(parsed.GetRequiredValue(tokenizer)), parsed.GetRequiredValue(output), config,
                new Report<DataBuildProgress>(p => progress.Report(() => FormattableString.Invariant(
                    $"{p.Documents:N0} documents, {Figures.Bytes(p.Utf8Bytes)}, {Figures.Short(p.Tokens)} tokens"))),
                context.Cancellation);
            progress.Dispose();
            WriteSummary(dataset.Describe(), context.Terminal.Out);
        });
        return command;
    }

    private static void InspectText(IReadOnlyList<string> paths, ProgressLine progress, CliContext context)
    {
        const int exampleLength = 600;
        (long documents, long bytes, long longest) = (0, 0, 0);
        string? example = null;
        var sources = new HashSet<string>(StringComparer.Ordinal);
        var report = new CorpusReport();
        foreach (Document document in Corpus.Read(paths, report, context.Cancellation))
        {
            int length = Encoding.UTF8.GetByteCount(document.Text);
            (documents, bytes, longest) = (documents + 1, bytes + length, Math.Max(longest, length));
            sources.Add(document.Source);
            example ??= document.Text.Length <= exampleLength ? document.Text : document.Text[..exampleLength] + " ...";
            progress.Report(() => FormattableString.Invariant($"{documents:N0} documents, {Figures.Bytes(bytes)}"));
        }

        progress.Dispose();
        TextWriter output = context.Terminal.Out;
        output.WriteLine(FormattableString.Invariant($"files       {sources.Count:N0}"));
        output.WriteLine(FormattableString.Invariant($"documents   {documents:N0}, the longest {Figures.Bytes(longest)}"));
        output.WriteLine($"text        {Figures.Bytes(bytes)}");
        if (report.DuplicateMembers > 0)
            output.WriteLine(FormattableString.Invariant(
                $"duplicates  {report.DuplicateMembers:N0} left out, {Figures.Bytes(report.DuplicateBytes)}"));
        if (report.Problems > 0)
            output.WriteLine(FormattableString.Invariant($"problems    {report.Problems:N0}"));
        foreach (string problem in report.FirstProblems)
            output.WriteLine($"            {problem}");
        output.WriteLine($"\nThe first document:\n\n{example}");
    }

    private static void WriteSummary(DatasetSummary s, TextWriter output)
    {
        TokensPerDocument t = s.TokensPerDocument;
        output.WriteLine("train       " + Split(s.Train));
        output.WriteLine("held out    " + Split(s.HeldOut));
        output.WriteLine(FormattableString.Invariant(
            $"            gzip {8.0 * s.HeldOutGzipBytes / Math.Max(1, s.HeldOut.Utf8Bytes):F3} bits/byte"));
        output.WriteLine(FormattableString.Invariant($"bytes       {s.BytesPerToken:F2} a token"));
        output.WriteLine(FormattableString.Invariant(
            $"tokens      a document: {t.Shortest} shortest, {t.Median} median, {t.P90} for 9 in 10, {t.Longest} longest"));
        output.WriteLine(FormattableString.Invariant(
            $"duplicates  {s.DuplicatesRemoved:N0} left out, {Figures.Bytes(s.DuplicateBytesRemoved)}"));
        output.WriteLine(FormattableString.Invariant($"files       {s.Sources.Count:N0}"));

        static string Split(SplitSummary split) => FormattableString.Invariant(
            $"{split.Documents:N0} documents, {split.Tokens:N0} tokens, {Figures.Bytes(split.Utf8Bytes)}");
    }
}
