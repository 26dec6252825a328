using Lingotto.Diagnostics;
using Lingotto.Formats;
using Lingotto.Runs;
using Xunit;

namespace Lingotto.Tests.Diagnostics;

/// <summary>A recipe derived from a size and a time.</summary>
public sealed class MachineRecipeTests
{
    public static TheoryData<string> Sizes => [.. MachineRecipe.Sizes];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_derived_recipe_is_valid_and_follows_the_scaling_laws(string size)
    {
        using var folder = new Formats.TemporaryFolder();
        Recipe recipe = Load(folder, size, hours: 8, tokensPerSecond: 4000);
        Assert.Equal(480, recipe.Training.Minutes);
        ModelConfig model = recipe.LoadModel(RepositoryRoot.Folder);
        double tokens = 8 * 3600 * 4000.0, batch = recipe.Training.MicroBatches * 8.0 * recipe.Training.SequenceLength;
        double flops = tokens * (model.Counts.FlopsPerToken(recipe.Training.SequenceLength) - (6.0 * model.VocabSize * model.HiddenSize));
        Assert.InRange(batch / ScalingLaws.BatchTokens(flops), 0.9, 1.1);
        Assert.Equal(recipe.Training.MicroBatches > 1, recipe.Schedule.BatchWarmupFrom is not null);
        Assert.InRange(recipe.Schedule.LearningRate / ScalingLaws.LearningRate(flops), 0.99, 1.01);
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void A_short_run_still_makes_a_hundred_updates(string size)
    {
        using var folder = new Formats.TemporaryFolder();
        Recipe recipe = Load(folder, size, hours: 0.1, tokensPerSecond: 2500);
        double tokens = 0.1 * 3600 * 2500;
        Assert.True(recipe.Training.MicroBatches == 1 || tokens / (recipe.Training.MicroBatches * 8 * recipe.Training.SequenceLength) >= 100);
    }

    private static Recipe Load(Formats.TemporaryFolder folder, string size, double hours, double tokensPerSecond)
    {
        string path = folder.File("derived.json");
        File.WriteAllText(path, MachineRecipe.Derive(size, hours, tokensPerSecond, RepositoryRoot.Folder));
        return RecipeFile.Load(path, RepositoryRoot.Folder, []);
    }
}
