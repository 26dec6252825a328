using System.Text.Json.Nodes;
using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Training;

/// <summary>Whole runs on text in which some documents are noise.</summary>
public sealed class SpikeRunTests
{
    [Fact]
    public void Noise_in_the_text_is_skipped_named_and_tried_again()
    {
        using TinyRun run = Noisy();
        run.Train(recipe: Long(run));
        JsonNode[] spikes = [.. run.Metrics.Where(line => (string?)line["kind"] == "spike")];
        Assert.NotEmpty(spikes);
        Assert.Contains(spikes, spike => (string?)spike["action"] == "skipped"
            && spike["documents"]!.AsArray().Any(sample => (string?)sample!["source"] == "noise"));
        long[] skipped = [.. run.Metrics.Where(line => (bool?)line["skipped"] == true).Select(line => (long)line["step"]!)];
        Assert.Equal(skipped, spikes.Where(spike => (string?)spike["action"] == "skipped").Select(spike => (long)spike["step"]!));
        Assert.All(spikes, spike => Assert.Equal(4, spike["samples"]!.AsArray().Count));
    }

    [Fact]
    public void A_run_with_skipped_steps_resumes_and_ends_with_the_bits_of_a_straight_one()
    {
        using TinyRun straight = Noisy(), resumed = Noisy();
        straight.Train(recipe: Long(straight));
        long first = straight.Metrics.Where(line => (string?)line["kind"] == "spike").Select(line => (long)line["step"]!).First();

        // Just after the skip, while its samples wait; and once more in the middle of what follows.
        resumed.Train(stopAfter: first, recipe: Long(resumed));
        resumed.Train(stopAfter: first + 7, recipe: Long(resumed), threads: 2);
        resumed.Train(recipe: Long(resumed));
        Assert.Equal(straight.Losses, resumed.Losses);
        Assert.Equal(straight.NewestWeights(), resumed.NewestWeights());
        Assert.Equal(Samples(straight), Samples(resumed));

        static string[] Samples(TinyRun run) =>
            [.. run.Metrics.Where(line => (string?)line["kind"] == "spike").Select(line => $"{line["step"]} {line["samples"]!.ToJsonString()}")];
    }

    [Fact]
    public void A_run_that_is_stopped_before_it_diverges_ends_with_the_bits_of_a_straight_one()
    {
        using TinyRun straight = Noisy(), resumed = Noisy();
        straight.Train(recipe: Diverging(straight));
        long from = (long)straight.Metrics.First(line => (string?)line["kind"] == "rollback")["from_step"]!;
        resumed.Train(stopAfter: from - 1, recipe: Diverging(resumed));
        resumed.Train(recipe: Diverging(resumed));
        Assert.Equal(straight.Losses, resumed.Losses);
        Assert.Equal(straight.NewestWeights(), resumed.NewestWeights());
    }

    [Fact]
    public void A_run_that_diverges_goes_back_to_its_checkpoint_and_on_with_other_samples()
    {
        using TinyRun run = Noisy();
        using RecordingObserver heard = run.Train(recipe: Diverging(run));
        JsonNode back = run.Metrics.First(line => (string?)line["kind"] == "rollback");
        long to = (long)back["step"]!, from = (long)back["from_step"]!;
        Assert.Equal(0, to % 20);
        Assert.InRange(from - to, 1, 20);
        Assert.Equal(from - to - 1, (long)back["lost_steps"]!);
        Assert.Equal([(4 * to), (4 * from)], back["passed_over"]!.AsArray().Select(n => (long)n!));
        Assert.Equal(Enumerable.Range(1, 160).Select(step => (long)step), run.Losses.Select(line => line.Step));
        Assert.Contains(heard.Warnings, warning => warning.Contains($"went back to step {to}", StringComparison.Ordinal));
        using var page = new StringWriter();
        RunReport.Open(run.Folder).ToPage().Write(page);
        Assert.Contains("Returns to a checkpoint", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Divergence_before_the_first_checkpoint_ends_the_run_with_a_remedy()
    {
        using TinyRun run = Noisy();
        Recipe recipe = Long(run) with { Spikes = new SpikeConfig { Window = 32, Retries = 0, RollbackAfter = 1 }, Checkpoints = new CheckpointConfig { EverySteps = 0 } };
        RunException fault = Assert.Throws<RunException>(() => run.Train(recipe: recipe));
        Assert.Contains("lower schedule.learning_rate", fault.Message, StringComparison.Ordinal);
    }

    private static Recipe Diverging(TinyRun run) => Long(run) with
    {
        Spikes = new SpikeConfig { Window = 32, Retries = 0, RollbackAfter = 1 },
        Checkpoints = new CheckpointConfig { EverySteps = 20, Asynchronous = false },
    };

    private static Recipe Long(TinyRun run) => run.Recipe with
    {
        Data = new DataConfig
        {
            Sources = [new DataSource("stories", [run.File("text")], Weight: 99), new DataSource("noise", [run.File("noise")], Weight: 1)],
            HeldOutFraction = 0.2,
        },
        Training = run.Recipe.Training with { NumSteps = 160 },
        Spikes = new SpikeConfig { Window = 32 },
    };

    /// <summary>Beside the stories there is noise, of which one sample in a hundred comes: every 25 steps.</summary>
    private static TinyRun Noisy()
    {
        var run = new TinyRun(TinyModels.Ling2);
        var random = new Random(1);
        Directory.CreateDirectory(run.File("noise"));
        for (int i = 0; i < 8; i++)
        {
            string noise = new([.. Enumerable.Range(0, 240).Select(n => n % 6 == 5 ? ' ' : "0123456789BCDGHJKLMNPQVWXYZ"[random.Next(27)])]);
            File.WriteAllText(Path.Combine(run.File("noise"), $"{i}.txt"), $"QZXJ {noise}\n");
        }

        return run;
    }
}
