using System.Globalization;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Runs;

namespace Lingotto.Diagnostics;

/// <summary>
/// A whole recipe from two words, a size and a time: a few training steps say what this machine does in that time, the scaling
/// laws what batch and learning rate become it.
/// </summary>
public static class MachineRecipe
{
    private const int Sequences = 8;

    /// <summary>Between saves and between measurements, and until which the recipe warms up; our choice.</summary>
    private const double MinutesBetweenSaves = 10, WarmupShare = 0.02;

    /// <summary>
    /// Batches begin at a quarter and grow over this share of the tokens: small ones cost nothing early (docs/evidence/recipe-parts.md);
    /// our choice.
    /// </summary>
    private const double BatchWarmupShare = 0.1;

    /// <summary>However short the run; our choice.</summary>
    private const double FewestUpdates = 100;

    private static readonly Dictionary<string, (string Model, int SequenceLength)> s_sizes = new()
    {
        ["tiny"] = ("quickstart", 256),
        ["small"] = ("small", 512),
        ["mini"] = ("mini", 1024),
    };

    /// <summary>The sizes, smallest first.</summary>
    public static IReadOnlyList<string> Sizes { get; } = [.. s_sizes.Keys];

    /// <summary>Tokens a second of a training step of that size on this machine, after a few seconds of trying.</summary>
    /// <param name="size">One of <see cref="Sizes"/>.</param>
    /// <param name="threads">Threads to compute with; 0 takes every processor.</param>
    /// <param name="assetFolder">Folder that holds models/.</param>
    /// <param name="progress">Hears each step.</param>
    /// <exception cref="OutOfDeviceMemoryException">It does not fit this machine.</exception>
    public static double MeasureTokensPerSecond(string size, int threads, string assetFolder, Action<string> progress)
    {
        (string _, int length) = s_sizes[size];
        using Device device = DeviceSelection.Open(threads: threads);
        return TrainingMeasurement.Run(
            device, device.FastestPrecision.Precision, ModelOf(size, assetFolder), Sequences, length, progress).TokensPerSecond;
    }

    /// <summary>The recipe as a file to edit, each value with its reason.</summary>
    /// <param name="size">One of <see cref="Sizes"/>.</param>
    /// <param name="hours">Length of the run.</param>
    /// <param name="tokensPerSecond">What the machine does.</param>
    /// <param name="assetFolder">Folder that holds models/.</param>
    public static string Derive(string size, double hours, double tokensPerSecond, string assetFolder)
    {
        (string model, int length) = s_sizes[size];
        ModelConfig config = ModelOf(size, assetFolder);
        double tokens = tokensPerSecond * hours * 3600, microBatch = Sequences * length;
        double flops = tokens * ScalingLaws.FlopsPerToken(config, length), wanted = Math.Round(ScalingLaws.BatchTokens(flops) / microBatch);
        double most = Math.Max(1, Math.Floor(tokens / microBatch / FewestUpdates));
        double batches = Math.Clamp(wanted, 1, most);
        string held = batches < wanted ? string.Create(CultureInfo.InvariantCulture, $", held to {FewestUpdates} updates") : "";
        double rate = ScalingLaws.LearningRate(flops), steps = tokens / microBatch / batches;
        long warmup = Math.Clamp((long)(steps * WarmupShare), 10, 2000),
            every = Math.Max(10, (long)(steps * MinutesBetweenSaves / (hours * 60)));
        string growing = batches < 2 ? "" : string.Create(CultureInfo.InvariantCulture, $$"""
            "batch_warmup_from": {{Math.Max(1, Math.Floor(batches / 4))}}, // small batches cost nothing early
                "batch_warmup_tokens": {{tokens * BatchWarmupShare:G3}},
                
            """);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            // {{size}} for {{hours:G4}} hours on a machine that trains it at {{tokensPerSecond:N0}} tokens/s: about {{tokens / 1e6:G3}}
            // million tokens, {{flops:G2}} FLOPs. Everything here may be changed; 'lingotto config schema' describes every key.
            {
              "model": "{{model}}", // {{config.Counts.TotalParameters / 1e6:G3}} million parameters, {{config.Counts.ActiveParameters / 1e6:G3}} million active
              "data": { "paths": [] }, // the documentation of .NET; give your own text here or with --data
              "training": {
                "sequence_length": {{length}},
                "sequences_per_micro_batch": {{Sequences}},
                "micro_batches": {{batches}}, // {{batches * microBatch:N0}} tokens an update: 0.2008 C^0.3447 (Ling report, 3.3){{held}}
                "minutes": {{hours * 60:G6}}
              },
              "schedule": {
                "learning_rate": {{rate:G3}}, // 1.5552 C^-0.1579 (Ling report, 3.3), at most {{ScalingLaws.HighestRate}}
                "warmup_steps": {{warmup}}, // of {{steps:N0}} updates or more
                {{growing}}"decay_fraction": 0.2 // "drop_at": 0.6 would halve the rate there, as Ling does over trillions of tokens
              },
              "router": { "warmup_steps": {{warmup}}{{(config.MoeRouterEnableExpertBias ? ", \"balance_loss\": 0, \"z_loss\": 3.5e-6" : "")}} },
              "checkpoints": { "every_steps": {{every}} }, // about every {{MinutesBetweenSaves}} minutes
              "evaluation": { "every_steps": {{every}} },
              "hardware": {} // "price_per_hour": 0.4, "currency": "EUR", "watts": 100 would tell what it costs
            }

            """);
    }

    private static ModelConfig ModelOf(string size, string assetFolder) =>
        ModelConfig.Load(Path.Combine(assetFolder, "models", s_sizes[size].Model + ".json"));
}
