using System.Text;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Continues the recipe's prompts with the weights that are being trained: samples.txt.</summary>
internal static class Samples
{
    /// <summary>Writes a continuation of every prompt.</summary>
    /// <exception cref="Compute.OutOfDeviceMemoryException">There is no memory for a key/value cache.</exception>
    public static void Write(
        Recipe recipe, LoadedModel model, Tokenizer tokenizer, string path, IRunObserver observer, CancellationToken cancellation)
    {
        SamplesConfig config = recipe.Samples;
        if (config.Prompts.Count == 0)
        {
            return;
        }

        int[][] prompts =
            [.. config.Prompts.Select(prompt => tokenizer.Encode(prompt) is { Length: > 0 } ids ? ids : [tokenizer.EndOfTextId])];
        using var session = new DecodeSession(model, prompts.Max(ids => ids.Length) + config.Tokens);
        var text = new StringBuilder();
        for (int i = 0; i < prompts.Length; i++)
        {
            session.Reset();
            var sampler = new Sampler(
                new SamplerConfig(Temperature: config.Temperature, Seed: recipe.Training.Seed + (ulong)i), model.Config.VocabSize);
            string continuation = tokenizer.Decode(
                [.. Generator.Generate(session, sampler, prompts[i], config.Tokens, tokenizer.EndOfTextId, cancellation)]);
            observer.Sampled(config.Prompts[i], continuation);
            text.Append("> ").AppendLine(config.Prompts[i]).Append(config.Prompts[i]).AppendLine(continuation).AppendLine();
        }

        DurableFile.WriteAllText(path, text.ToString());
    }
}
