using System.CommandLine;
using Lingotto.Formats;
using Lingotto.Planning;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>lingotto plan RECIPE --here: what this machine will do with a recipe, and what it did.</summary>
internal static class PlanHere
{
    /// <summary>The option that plan and pretrain share.</summary>
    public static Option<string?> Option() => new("--here")
    {
        Description = "Say first what this machine will do with the recipe, from the file of bench --device-file.",
        HelpName = "FILE",
    };

    public static int Write(string recipe, string machine, string? happened, CliContext context)
    {
        Recipe run = RecipeFile.Load(recipe, context.AssetFolder, []);
        RunPlan plan = Predict(run, machine, context.AssetFolder);
        context.Terminal.Out.WriteLine(Text(recipe, run, plan));
        if (DeviceCatalogue.ReadDevice(machine).MemoryGb.Value is { } gigabytes && plan.MemoryBytes > 1e9 * gigabytes)
            context.Terminal.Out.WriteLine($"that does not fit in the {Figures.Bytes(1e9 * gigabytes)} of the machine: take a smaller model, or fewer sequences in a micro-batch");
        if (happened is not null)
            Compare(plan, happened, context.Terminal.Out);
        return ExitCodes.Done;
    }

    /// <summary>What a machine, measured into a file, will do with a recipe.</summary>
    /// <exception cref="PlanException">The file holds no measured step, or one of another precision.</exception>
    public static RunPlan Predict(Recipe recipe, string machine, string assetFolder)
    {
        MeasuredTraining training = DeviceCatalogue.ReadDevice(machine).Training
            ?? throw new PlanException($"{machine}: holds no measured training step: write it with lingotto bench --device-file");
        if (recipe.Training.Precision is { } precision && precision != training.Precision)
            throw new PlanException($"{machine}: its training step was measured in {training.Precision}, the recipe trains in {precision}: leave out training.precision, or plan on a machine that measures in it");
        int microBatch = recipe.Training.SequencesPerMicroBatch;
        var work = new Workload
        {
            Model = ModelShape.Of(ModelConfig.Load(PlanCommand.Locate(recipe.Model, assetFolder)), recipe.Model),
            SequenceLength = recipe.Training.SequenceLength,
            SequencesPerStep = SequencesPerUpdate(recipe),
        };
        return new RunPlan(
            Path.GetFileName(machine), MachineModel.TokensPerSecond(training, work, microBatch), MachineModel.MemoryBytes(training, work, microBatch));
    }

    /// <summary>One line.</summary>
    public static string Text(string name, Recipe recipe, RunPlan plan)
    {
        double tokens = (double)SequencesPerUpdate(recipe) * recipe.Training.SequenceLength;
        return FormattableString.Invariant(
            $"{name} on {Path.GetFileNameWithoutExtension(plan.Source)}: {plan.TokensPerSecond:N0} tokens/s, {Figures.Bytes(plan.MemoryBytes)} planned, {tokens / plan.TokensPerSecond:G3} s an update of {tokens:N0} tokens");
    }

    private static int SequencesPerUpdate(Recipe recipe) => recipe.Training.SequencesPerMicroBatch * Math.Max(1, recipe.Training.MicroBatches);

    private static void Compare(RunPlan plan, string run, TextWriter output)
    {
        RunSpeed did = RunSpeed.Read(run);
        output.WriteLine(FormattableString.Invariant(
            $"{run} did {did.TokensPerSecond:N0} tokens/s (median of {did.Updates} updates) and planned {Figures.Bytes(did.PlannedBytes)}: predicted {100 * (plan.TokensPerSecond / did.TokensPerSecond - 1):+0.0;-0.0} % and {100 * (plan.MemoryBytes / did.PlannedBytes - 1):+0.0;-0.0} % beside it"));
    }
}
