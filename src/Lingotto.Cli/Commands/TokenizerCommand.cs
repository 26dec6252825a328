using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Lingotto.Text;

namespace Lingotto.Cli;

/// <summary>lingotto tokenizer: learn a vocabulary, and use one.</summary>
internal static class TokenizerCommand
{
    public static Command Create(CliContext context) =>
        new("tokenizer", "Train a tokenizer, or use one.") { Train(context), Encode(context), Decode(context) };

    private static Command Train(CliContext context)
    {
        var data = new Argument<string[]>("DATA") { Description = "Text: files, folders or globs.", Arity = ArgumentArity.OneOrMore };
        Option<int> vocabSize =
            NumberOption.Whole("--vocab-size", "Ids of the vocabulary: bytes, merges and special tokens.", 4096, least: 262);
        var output = new Option<string>("--out")
        {
            Description = "The tokenizer.json to write.",
            HelpName = "FILE",
            DefaultValueFactory = _ => "tokenizer.json",
        };
        var command = new Command("train", "Learn a byte-level BPE vocabulary from text.") { data, vocabSize, output };
        command.SetAction(parsed =>
        {
            using var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet));
            Tokenizer tokenizer = BpeTrainer.Train(
                Corpus.Read(parsed.GetRequiredValue(data), cancellationToken: context.Cancellation).Select(document => document.Text),
                new BpeTrainerConfig(parsed.GetValue(vocabSize)),
                new ImmediateProgress<BpeTrainingProgress>(p => progress.Report(() => FormattableString.Invariant(
                    $"{p.Documents:N0} documents, {Figures.Bytes(p.Utf8Bytes)}, {p.Merges:N0} of {p.TotalMerges:N0} merges"))),
                context.Cancellation);
            string path = parsed.GetRequiredValue(output);
            tokenizer.Save(path);
            progress.Dispose();
            context.Terminal.Out.WriteLine(FormattableString.Invariant($"{path}: {tokenizer.VocabSize:N0} tokens"));
        });
        return command;
    }

    private static Command Encode(CliContext context)
    {
        Option<string> tokenizer = TokenizerOption();
        var text = new Argument<string?>("TEXT") { Description = "Read from standard input when absent.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("encode", "Text to token ids.") { text, tokenizer, GlobalOptions.Json };
        command.SetAction(parsed =>
        {
            int[] ids = Tokenizer.Load(parsed.GetRequiredValue(tokenizer))
                .Encode(parsed.GetValue(text) ?? context.Terminal.ReadAll(context.Cancellation));
            context.Terminal.Out.WriteLine(parsed.GetValue(GlobalOptions.Json)
                ? new JsonArray([.. ids.Select(id => (JsonNode)id)]).ToJsonString()
                : string.Join(' ', ids));
        });
        return command;
    }

    private static Command Decode(CliContext context)
    {
        Option<string> tokenizer = TokenizerOption();
        var ids = new Argument<string[]>("IDS")
        {
            Description = "Token ids; read from standard input when absent.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var command = new Command("decode", "Token ids to text.") { ids, tokenizer };
        command.SetAction(parsed =>
        {
            string[] given = parsed.GetValue(ids) ?? [];
            string text = given.Length > 0 ? string.Join(' ', given) : context.Terminal.ReadAll(context.Cancellation);
            int[] tokens = Ids(text);
            var loaded = Tokenizer.Load(parsed.GetRequiredValue(tokenizer));
            loaded.RequireIds(tokens);
            context.Terminal.Out.Write(loaded.Decode(tokens, skipSpecial: false));
            if (context.Terminal.CanRedraw)
            {
                context.Terminal.Out.WriteLine();
            }
        });
        return command;
    }

    private static Option<string> TokenizerOption() =>
        new("--tokenizer") { Description = "A tokenizer.json.", HelpName = "FILE", Required = true };

    /// <summary>Ids separated by spaces or commas, in brackets or not.</summary>
    private static int[] Ids(string text) => [.. text
        .Split([' ', ',', '[', ']', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries)
        .Select(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id
            : throw new UsageException($"'{word}' is no token id: give whole numbers separated by spaces or commas"))];
}
