using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Cli;

/// <summary>lingotto generate: a model continues a text.</summary>
internal static class GenerateCommand
{
    public static Command Create(CliContext context)
    {
        var folder = new Argument<string>("FOLDER") { Description = "A run, or a folder with config.json, weights and tokenizer.json." };
        var prompt = new Option<string?>("--prompt")
        {
            Description = "The text to continue; read from standard input when absent.",
            HelpName = "TEXT",
        };
        Option<int> tokens = NumberOption.Whole("--tokens", "Most tokens to write.", 200, least: 1);
        var sampling = new SamplingOptions();
        var command = new Command("generate", "Continue a text with a trained model.") { folder, prompt, tokens, GlobalOptions.Json };
        sampling.AddTo(command);
        command.SetAction(parsed =>
        {
            SamplerConfig config = sampling.Read(parsed);
            string text = parsed.GetValue(prompt)
                ?? (context.Terminal.IsInputRedirected ? context.Terminal.ReadAll(context.Cancellation)
                    : throw new UsageException("there is no text to continue: give --prompt TEXT or pipe it in"));
            Run(context, parsed, parsed.GetRequiredValue(folder), text, parsed.GetValue(tokens), config);
        });
        return command;
    }

    private static void Run(CliContext context, ParseResult parsed, string folder, string prompt, int tokens, SamplerConfig sampling)
    {
        string model = ModelFolder.Find(folder, message => context.Terminal.Error.WriteLine($"warning: {message}"));
        ModelConfig config = ModelConfig.Load(model);
        using (SafetensorsModel weights = SafetensorsModel.Open(model))
        {
            WeightSizes.Require(config, weights, Path.Combine(model, "config.json"));
        }

        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(model, "tokenizer.json"));
        if (tokenizer.VocabSize > config.VocabSize)
        {
            throw new RunException(
                $"{model}: tokenizer.json has {tokenizer.VocabSize} tokens and config.json a vocab_size of {config.VocabSize}: the two "
                + "do not belong together");
        }
        List<int> ids = [.. tokenizer.Encode(prompt)];
        if (ids.Count == 0)
        {
            ids.Add(tokenizer.EndOfTextId); // Every document begins behind the end of another.
        }
        if ((long)ids.Count + tokens > config.MaxPositionEmbeddings)
        {
            throw new RunException(
                $"the prompt's {ids.Count} tokens and --tokens {tokens} exceed the {config.MaxPositionEmbeddings} positions of {model}: "
                + "lower --tokens or shorten the prompt");
        }

        using Device device = DeviceSelection.Open(threads: parsed.GetValue(GlobalOptions.Threads));
        using var loaded = new LoadedModel(device, config);
        WeightFiles.LoadModel(device, model, config, loaded.Blocks);
        loaded.RefreshWeights();
        using var session = new DecodeSession(loaded, ids.Count + tokens);
        var clock = Stopwatch.StartNew();
        bool isJson = parsed.GetValue(GlobalOptions.Json);
        TextWriter output = context.Terminal.Out;
        if (!isJson)
        {
            output.Write(prompt);
        }
        IEnumerable<int> continuation = Generator.Generate(
            session, new Sampler(sampling, config.VocabSize), ids, tokens, tokenizer.EndOfTextId, context.Cancellation);
        (string text, int count) = Write(continuation, tokenizer, isJson ? TextWriter.Null : output);
        double seconds = clock.Elapsed.TotalSeconds;
        output.WriteLine(!isJson ? "" : new JsonObject
        {
            ["prompt"] = prompt,
            ["text"] = text,
            ["tokens"] = count,
            ["tokens_per_second"] = count / seconds,
        }.ToJsonString(JsonText.Readable));
        if (!isJson && !parsed.GetValue(GlobalOptions.Quiet) && context.Terminal.CanRedrawError)
        {
            context.Terminal.Error.WriteLine(FormattableString.Invariant($"{count} tokens, {count / seconds:N0} tok/s"));
        }
    }

    /// <summary>Writes each token as soon as its characters are complete. Returns the whole text and the number of tokens.</summary>
    private static (string Text, int Tokens) Write(IEnumerable<int> continuation, Tokenizer tokenizer, TextWriter output)
    {
        var stream = new TokenStream(tokenizer);
        var text = new System.Text.StringBuilder();
        int count = 0;
        foreach (int token in continuation)
        {
            Show(stream.Append(token));
            count++;
        }

        Show(stream.Flush());
        return (text.ToString(), count);

        void Show(string part)
        {
            text.Append(part);
            output.Write(part);
            output.Flush();
        }
    }
}
