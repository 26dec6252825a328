using System.CommandLine;
using Lingotto.Planning;
using Lingotto.Reporting;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>lingotto plan RECIPE --here: predicts speed and memory of a recipe on this machine, and compares them with a run.</summary>
internal static class PlanHere
{
    /// <summary>Creates the option that plan and pretrain share.</summary>
    public static Option<string?> Option() => new("--here")
    {
        Description = "Predict speed and memory of the recipe on this machine, from the file of bench --device-file.",
        HelpName = "FILE",
    };

    public static int Write(string recipe, string machine, string? run, CliContext context)
    {
        Recipe settings = RecipeFile.Load(recipe, context.AssetFolder, []);
        RunPlan plan = Predict(settings, machine, context.AssetFolder);
        context.Terminal.Out.WriteLine(Text(recipe, settings, plan));
        if (DeviceCatalogue.ReadDevice(machine).MemoryGb.Value is { } gigabytes && plan.MemoryBytes > 1e9 * gigabytes)
        {
            context.Terminal.Out.WriteLine($"this does not fit in the {Figures.Bytes(1e9 * gigabytes)} of the machine: "
                + "use a smaller model, or fewer sequences per micro-batch");
        }

        if (run is not null)
        {
            Compare(plan, run, context.Terminal.Out);
        }

        return ExitCodes.Done;
    }

    /// <summary>Predicts a recipe on a machine from its device file.</summary>
    /// <exception cref="PlanException">The file has no measured training step, or one of another precision.</exception>
    public static RunPlan Predict(Recipe recipe, string machine, string assetFolder)
    {
        MeasuredTraining training = DeviceCatalogue.ReadDevice(machine).Training
            ?? throw new PlanException($"{machine}: has no measured training step: write it with lingotto bench --device-file");
        if (recipe.Training.Precision is { } precision && precision != training.Precision)
        {
            throw new PlanException($"{machine}: its training step was measured in {training.Precision}, the recipe trains in {precision}: "
                + "leave out training.precision, or use the file of a machine that measures in it");
        }

        int microBatch = recipe.Training.SequencesPerMicroBatch;
        var work = new Workload
        {
            Model = ModelFile.Read(PlanCommand.Locate(recipe.Model, assetFolder), recipe.Model),
            SequenceLength = recipe.Training.SequenceLength,
            SequencesPerStep = SequencesPerUpdate(recipe),
        };
        return new RunPlan(
            Path.GetFileName(machine), MachineModel.TokensPerSecond(training, work, microBatch),
            MachineModel.MemoryBytes(training, work, microBatch));
    }

    /// <summary>Returns the prediction in one line.</summary>
    public static string Text(string name, Recipe recipe, RunPlan plan)
    {
        double tokens = (double)SequencesPerUpdate(recipe) * recipe.Training.SequenceLength;
        return $"{name} on {Path.GetFileNameWithoutExtension(plan.Source)}: {NumberText.Short(plan.TokensPerSecond)} tokens/s, "
            + $"{Figures.Bytes(plan.MemoryBytes)} planned, {NumberText.Duration(tokens / plan.TokensPerSecond)} "
            + FormattableString.Invariant($"for an update of {tokens:N0} tokens");
    }

    private static int SequencesPerUpdate(Recipe recipe) =>
        recipe.Training.SequencesPerMicroBatch * Math.Max(1, recipe.Training.MicroBatches);

    private static void Compare(RunPlan plan, string run, TextWriter output)
    {
        RunSpeed measured = RunSpeed.Read(run);
        double speed = plan.TokensPerSecond / measured.TokensPerSecond - 1, memory = plan.MemoryBytes / measured.PlannedBytes - 1;
        output.WriteLine(
            $"{run} did {NumberText.Short(measured.TokensPerSecond)} tokens/s (median of {measured.Updates} updates) and planned "
            + $"{Figures.Bytes(measured.PlannedBytes)}: "
            + FormattableString.Invariant($"the prediction is off by {100 * speed:+0.0;-0.0} % and {100 * memory:+0.0;-0.0} %"));
    }
}
