using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;

namespace Lingotto.Diagnostics;

/// <summary>Time of one generated token early and late in a sequence, the prompt's keys and values in the cache; medians.</summary>
internal static class GenerationMeasurement
{
    private const int Early = 16, Late = 256, Passes = 20;

    /// <summary>Tokens timed around each position.</summary>
    private const int Window = 8;

    public static BenchGeneration Run(Device device, ModelConfig config)
    {
        using var model = new LoadedModel(device, config);
        Randomise(model);
        model.RefreshWeights();
        using var session = new DecodeSession(model, Late + Window);
        var random = new Random(1);
        int[] tokens = [.. Enumerable.Range(0, Late + Window).Select(_ => random.Next(config.VocabSize))];
        var early = new List<double>();
        var late = new List<double>();
        for (int pass = 0; pass <= Passes; pass++)
        {
            session.Reset();
            double[] first = Time(session, tokens, Early), second = Time(session, tokens, Late);

            // The first pass is the warm-up.
            early.AddRange(pass == 0 ? [] : first);
            late.AddRange(pass == 0 ? [] : second);
        }

        return new BenchGeneration(Median.Of(early) * 1e3, Median.Of(late) * 1e3, Median.Of(late) / Median.Of(early));
    }

    private static double[] Time(DecodeSession session, ReadOnlySpan<int> tokens, int position)
    {
        session.Run(tokens[session.Position..position]);
        var seconds = new double[Window];
        for (int i = 0; i < Window; i++)
        {
            long start = Stopwatch.GetTimestamp();
            session.Run(tokens.Slice(position + i, 1));
            seconds[i] = Stopwatch.GetElapsedTime(start).TotalSeconds;
        }

        return seconds;
    }

    /// <summary>
    /// Small random weights: with equal ones every token would take the same experts, whose weights would stay in the cache.
    /// </summary>
    private static void Randomise(LoadedModel model)
    {
        var random = new Random(2);
        foreach (ParameterBlock block in model.Blocks)
        {
            var values = new float[block.Values.Length];
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = 0.04f * ((float)random.NextDouble() - 0.5f);
            }

            model.Device.Upload<float>(values, block.Values);
        }
    }
}
