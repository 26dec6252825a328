using System.CommandLine;
using Lingotto.Compute;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Cli;

/// <summary>lingotto merge: several checkpoints of a run to one model, in place of a decay.</summary>
internal static class MergeCommand
{
    public static Command Create(CliContext context)
    {
        var paths = new Argument<string[]>("RUN|CHECKPOINTS")
        {
            Description = "A run folder, or checkpoint folders, oldest first.",
            Arity = ArgumentArity.OneOrMore
        };
        var curve = new Option<string>("--curve")
        {
            Description =
                "The decay that the merge stands for: linear (the mean where intervals are equal), cosine, inverse-sqrt, 1-sqrt, or a "
                + "rate for each checkpoint such as 1,0.8,0.5.",
            HelpName = "NAME|RATES",
            DefaultValueFactory = _ => MergeWeights.Curves[0],
        };
        var last = new Option<int?>("--last") { Description = "Merge so many, counted from the newest; all unless given.", HelpName = "N" };
        var output = new Option<string>("--out")
        {
            Description = "The folder to write; it must not exist yet.",
            HelpName = "DIR",
            Required = true
        };
        var command = new Command(
            "merge",
            "Merge checkpoints of a run at a constant rate into one model, in place of a decay. Examples: 'lingotto merge runs/mine "
            + "--last 8 --out merged', 'lingotto merge a b c --curve 1-sqrt --out merged'.")
        { paths, curve, last, output };
        command.SetAction(parsed =>
        {
            IReadOnlyList<string> checkpoints = CheckpointMerger.Find(parsed.GetRequiredValue(paths), parsed.GetValue(last));
            double[] weights = MergeWeights.Of(
                parsed.GetRequiredValue(curve),
                CheckpointMerger.PositionsOf(checkpoints, message => context.Terminal.Error.WriteLine($"warning: {message}")));
            string folder = parsed.GetRequiredValue(output);
            CheckpointMerger.Merge(checkpoints, weights, folder, context.Cancellation);
            foreach ((string checkpoint, double weight) in checkpoints.Zip(weights))
            {
                context.Terminal.Out.WriteLine(FormattableString.Invariant($"{weight,7:F4}  {checkpoint}"));
            }
            WriteHeldOut(context, parsed.GetRequiredValue(paths), checkpoints[^1], folder, parsed.GetValue(GlobalOptions.Threads));
            context.Terminal.Out.WriteLine(folder);
        });
        return command;
    }

    /// <summary>What the merge was good for, where the run's held-out text is at hand.</summary>
    private static void WriteHeldOut(CliContext context, string[] paths, string newest, string merged, int threads)
    {
        try
        {
            if (paths.Length == 1 && HeldOutComparison.Measure(paths[0], [newest, merged], threads,
                context.Cancellation) is [{ } before, { } after])
            {
                context.Terminal.Out.WriteLine(FormattableString.Invariant(
                    $"held-out loss {after.Loss:F4} nats, {after.BitsPerByte:F4} bits per byte; the newest checkpoint alone {before.Loss:F4}, {before.BitsPerByte:F4}"));
            }
        }
        catch (Exception e) when (e is OutOfDeviceMemoryException or RunException)
        {
            context.Terminal.Error.WriteLine($"merged, but its held-out loss is not known: {e.Message}");
        }
    }
}
