using System.Text;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Continues the recipe's prompts with the trained weights: samples.txt.</summary>
internal static class Samples
{
    public static void Write(
        Recipe recipe, Device device, TrainableDecoder decoder, Tokenizer tokenizer, string path, IRunObserver observer, CancellationToken cancellation)
    {
        if (recipe.Samples.Prompts.Count == 0)
        {
            return;
        }

        int longest = recipe.Samples.Prompts.Max(prompt => tokenizer.Encode(prompt).Length) + recipe.Samples.Tokens + 1;
        using var session = new DecodeSession(device, decoder.Config, longest);
        CopyWeights(device, decoder.Blocks, session.Blocks);
        session.RefreshWeights();
        var text = new StringBuilder();
        for (int i = 0; i < recipe.Samples.Prompts.Count; i++)
        {
            string prompt = recipe.Samples.Prompts[i];
            string continuation = Continue(recipe.Samples, session, tokenizer, prompt, seed: recipe.Training.Seed + (ulong)i, cancellation);
            observer.Sampled(prompt, continuation);
            text.Append("> ").AppendLine(prompt).Append(prompt).AppendLine(continuation).AppendLine();
        }

        DurableFile.WriteAllText(path, text.ToString());
    }

    private static string Continue(SamplesConfig config, DecodeSession session, Tokenizer tokenizer, string prompt, ulong seed, CancellationToken cancellation)
    {
        session.Reset();
        var sampler = new Sampler(new SamplerConfig(Temperature: config.Temperature, Seed: seed), session.Config.VocabSize);
        var seen = new List<int>(tokenizer.Encode(prompt));
        if (seen.Count == 0)
        {
            seen.Add(tokenizer.EndOfTextId);
        }

        var continuation = new List<int>();
        ReadOnlySpan<float> logits = session.Run([.. seen]);
        while (continuation.Count < config.Tokens)
        {
            cancellation.ThrowIfCancellationRequested();
            int next = sampler.Next(logits, seen, session.Position);
            if (next == tokenizer.EndOfTextId)
            {
                break;
            }

            continuation.Add(next);
            seen.Add(next);
            logits = session.Run([next]);
        }

        return tokenizer.Decode([.. continuation]);
    }

    private static void CopyWeights(Device device, IReadOnlyList<ParameterBlock> from, IReadOnlyList<ParameterBlock> to)
    {
        // By name: what only training needs has no block in a model that runs.
        var blocks = from.ToDictionary(block => block.Name);
        foreach (ParameterBlock block in to)
        {
            foreach (Parameter parameter in block.Parameters)
            {
                device.Copy(blocks[block.Name][parameter.Name].Value, parameter.Value);
            }
        }
    }
}
