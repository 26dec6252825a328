using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Tests.Text;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Training;

/// <summary>Whole runs, from text to checkpoint.</summary>
public sealed class PretrainerTests(PretrainerTests.StraightRuns straight) : IClassFixture<PretrainerTests.StraightRuns>
{
    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void Losses_and_weights_are_the_same_bits_for_one_and_two_threads(string model)
    {
        using var run = new TinyRun(TinyModels.Of(model));
        run.Train(threads: 2);
        AssertSameBits(straight.Of(model).Run, run);
    }

    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void An_interrupted_run_resumes_and_ends_with_the_bits_of_a_straight_one(string model)
    {
        using var run = new TinyRun(TinyModels.Of(model));
        RecordingObserver first = run.Train(stopAfter: 10);
        Assert.Equal((RunOutcome.Interrupted, 10L), (first.Result!.Outcome, first.Result.Step));
        RecordingObserver second = run.Train();
        Assert.Equal((RunOutcome.Completed, 20L, 10L), (second.Result!.Outcome, second.Result.Step, second.Summary!.ResumedStep));
        AssertSameBits(straight.Of(model).Run, run);
    }

    [Fact]
    public void A_run_that_is_refused_before_its_text_is_packed_leaves_no_folder()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        TestTokenizers.Small.Save(run.File("large.json"));
        Recipe tooManyTokens = run.Recipe with { Data = run.Recipe.Data with { Tokenizer = run.File("large.json") } };
        foreach (bool fresh in new[] { false, true })
        {
            Assert.Throws<RunException>(() => run.Train(recipe: tooManyTokens, fresh: fresh));
            Assert.False(Directory.Exists(run.Folder));
        }
    }

    [Fact]
    public void A_run_that_is_refused_after_its_text_is_packed_keeps_the_packed_text()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        Recipe tooLong = run.Recipe with { Training = run.Recipe.Training with { SequenceLength = 100_000 } };
        Assert.Throws<RunException>(() => run.Train(recipe: tooLong));
        Assert.True(File.Exists(Path.Combine(run.Folder, "data", "manifest.json")));
    }

    [Fact]
    public void One_small_text_file_is_enough_and_holds_nothing_out()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        string text = run.File("one.txt");
        File.WriteAllText(text, string.Join(' ', Directory.GetFiles(run.File("text")).Order(StringComparer.Ordinal).Select(File.ReadAllText)));
        Recipe one = run.Recipe with { Data = new DataConfig { Paths = [text], HeldOutFraction = 0.02 } };
        RecordingObserver heard = run.Train(recipe: one);
        Assert.Equal(RunOutcome.Completed, heard.Result!.Outcome);
        Assert.Null(heard.Result.HeldOut);
    }

    [Fact]
    public void A_run_killed_at_any_moment_resumes_and_ends_with_the_bits_of_a_straight_one()
    {
        using var whole = new TinyRun(TinyModels.Ling1);
        Recipe Long(TinyRun run) => run.Recipe with
        {
            Training = run.Recipe.Training with { NumSteps = 60 },
            Checkpoints = new CheckpointConfig { EverySteps = 15 },
        };
        whole.Train(recipe: Long(whole));

        using var killed = new TinyRun(TinyModels.Ling1);
        File.WriteAllText(killed.File("recipe.json"), JsonSerializer.Serialize(Long(killed), RecipeJson.Default.Recipe));
        RunUntilSavedThenKill(killed);
        Assert.InRange(killed.Losses.Length, 15, 59);
        RecordingObserver resumed = killed.Train(recipe: Long(killed));
        Assert.InRange(resumed.Summary!.ResumedStep, 15, 59);
        AssertSameBits(whole, killed);
    }

    [Fact]
    public void The_loss_falls_and_the_end_is_measured_on_all_held_out_text()
    {
        (TinyRun run, RecordingObserver heard) = straight.Of(nameof(TinyModels.Ling2));
        Assert.InRange(run.Losses[0].Loss, 5, 7);
        Assert.InRange(run.Losses[^1].Loss, 0, 0.8 * run.Losses[0].Loss);
        Assert.Equal([false, false, true], heard.HeldOut.Select(measured => measured.Complete));
        Assert.InRange(heard.HeldOut[^1].BitsPerByte, 0, heard.HeldOut[0].BitsPerByte);
        Assert.Equal(heard.HeldOut[^1], heard.Result!.HeldOut);
    }

    [Fact]
    public void Samples_are_what_running_the_whole_text_again_for_every_token_gives()
    {
        (TinyRun run, RecordingObserver heard) = straight.Of(nameof(TinyModels.Ling2));
        using var device = new CpuDevice(threads: 1);
        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(heard.Result!.CheckpointFolder, "tokenizer.json"));
        using var model = new LoadedModel(device, ModelConfig.Load(heard.Result.CheckpointFolder));
        WeightFiles.LoadModel(device, heard.Result.CheckpointFolder, model.Config, model.Blocks);
        model.RefreshWeights();
        using var session = new DecodeSession(model, 64);

        Assert.Equal(run.Recipe.Samples.Prompts, heard.Sampled.Select(sample => sample.Prompt));
        string written = File.ReadAllText(Path.Combine(run.Folder, "samples.txt"));
        for (int i = 0; i < heard.Sampled.Count; i++)
        {
            (string prompt, string continuation) = heard.Sampled[i];
            var sampler = new Sampler(
                new SamplerConfig(Temperature: run.Recipe.Samples.Temperature, Seed: run.Recipe.Training.Seed + (ulong)i), run.Model.VocabSize);
            Assert.Equal(continuation, Continue(session, tokenizer, sampler, prompt, run.Recipe.Samples.Tokens));
            Assert.Contains(prompt + continuation, written, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_mixture_ahead_may_change_when_a_run_goes_on_and_the_one_behind_may_not()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        Recipe Mixed(params MixtureStage[] stages) => run.Recipe with
        {
            Data = run.Recipe.Data with
            {
                Paths = [],
                Sources = [new("first", [run.File("text/0*.txt"), run.File("text/10.txt")]), new("second", [run.File("text/2*.txt")])],
                Stages = stages,
            },
        };
        MixtureStage early = new(5, new Dictionary<string, double> { ["first"] = 0.9, ["second"] = 0.1 });
        MixtureStage late = new(12, new Dictionary<string, double> { ["first"] = 0.1, ["second"] = 0.9 });
        Assert.Equal(10, run.Train(stopAfter: 10, recipe: Mixed(early)).Result!.Step);
        Assert.Contains("(data)", Assert.Throws<RunException>(() => run.Train(recipe: Mixed(late))).Message, StringComparison.Ordinal);
        string pointer = Path.Combine(run.Folder, "checkpoints", "latest"), kept = File.ReadAllText(pointer);
        File.Delete(pointer); // what a checkpoint stands behind does not hang on who points at it
        Assert.Contains("(data)", Assert.Throws<RunException>(() => run.Train(recipe: Mixed(late))).Message, StringComparison.Ordinal);
        File.WriteAllText(pointer, kept);
        Assert.Equal(RunOutcome.Completed, run.Train(recipe: Mixed(early, late)).Result!.Outcome);

        using var planned = new TinyRun(TinyModels.Ling1);
        Recipe whole = Mixed(early, late);
        planned.Train(recipe: whole with { Model = planned.Recipe.Model });
        Assert.Equal(planned.Losses, run.Losses);
    }

    [Fact]
    public void A_bill_does_not_add_two_currencies()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        Recipe Paid(string currency) => run.Recipe with { Hardware = new HardwareConfig { PricePerHour = 2, Currency = currency } };
        run.Train(stopAfter: 3, recipe: Paid("USD"));
        Assert.Contains("USD", Assert.Throws<RunException>(() => run.Train(recipe: Paid("EUR"))).Message, StringComparison.Ordinal);
        run.Train(stopAfter: 5);
        Assert.Equal("USD", RunFolder.BegunRecipe(run.Folder)!.Hardware.Currency);
        Assert.Contains("USD", Assert.Throws<RunException>(() => run.Train(recipe: Paid("EUR"))).Message, StringComparison.Ordinal);
        Assert.NotNull(run.Train(recipe: Paid("USD")).Result!.Cost);
    }

    [Fact]
    public void Who_interrupts_the_last_evaluation_does_not_wait_for_it()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        long last = run.Recipe.Training.NumSteps!.Value;
        using RecordingObserver stopped = run.Train(stopWhenSaved: last, recipe: run.Recipe with { Evaluation = new EvaluationConfig { EverySteps = 0 } });
        Assert.Equal((RunOutcome.Interrupted, last), (stopped.Result!.Outcome, stopped.Result.Step));
        Assert.Empty(stopped.HeldOut);
        Assert.Equal(RunOutcome.Completed, run.Train().Result!.Outcome);
    }

    [Fact]
    public void A_run_comes_back_where_the_one_that_was_to_replace_it_is_refused()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        run.Train(stopAfter: 5);
        Recipe tooLong = run.Recipe with { Training = run.Recipe.Training with { SequenceLength = 1 << 20 } };
        Assert.Throws<RunException>(() => run.Train(recipe: tooLong, fresh: true));
        Assert.Equal(5, run.Train(stopAfter: 6).Summary!.ResumedStep);
        Assert.Equal(0, run.Train(stopAfter: 1, fresh: true).Summary!.ResumedStep);
        Assert.Empty(Directory.GetDirectories(run.Folder, ".tmp-*"));
    }

    [Fact]
    public void A_run_of_another_recipe_is_refused_by_the_section_that_differs()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        run.Train(stopAfter: 1);
        Recipe other = run.Recipe with { Optimizer = new OptimizerConfig { Beta2 = 0.99 }, Training = run.Recipe.Training with { Seed = 5 } };
        RunException fault = Assert.Throws<RunException>(() => run.Train(recipe: other));
        Assert.Contains(run.Folder, fault.Message, StringComparison.Ordinal);
        Assert.Contains("(training, optimizer)", fault.Message, StringComparison.Ordinal);
        Assert.Contains("--fresh", fault.Message, StringComparison.Ordinal);
        run.Train(stopAfter: 2, recipe: run.Recipe with { Checkpoints = new CheckpointConfig { EverySteps = 1 } });
    }

    /// <summary>A recipe.json of before the key existed; the embedding of its run was decayed as all else.</summary>
    [Fact]
    public void A_run_that_began_with_a_decayed_embedding_goes_on_with_it_or_not_at_all()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        Recipe decayed = run.Recipe with { Optimizer = run.Recipe.Optimizer with { EmbeddingWeightDecay = run.Recipe.Optimizer.WeightDecay } };
        run.Train(stopAfter: 1, recipe: decayed);
        string file = Path.Combine(run.Folder, "recipe.json");
        JsonNode written = JsonNode.Parse(File.ReadAllText(file))!;
        Assert.True(written["optimizer"]!.AsObject().Remove("embedding_weight_decay"));
        File.WriteAllText(file, written.ToJsonString());

        Assert.Contains("(optimizer)", Assert.Throws<RunException>(() => run.Train()).Message, StringComparison.Ordinal);
        Assert.Equal(1, run.Train(stopAfter: 2, recipe: decayed).Summary!.ResumedStep);
    }

    [Fact]
    public void Missing_text_touches_no_run_even_when_starting_over()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        Recipe typo = run.Recipe with { Data = run.Recipe.Data with { Paths = [run.File("txet")] } };
        Assert.Throws<FileNotFoundException>(() => run.Train(recipe: typo));
        Assert.False(Directory.Exists(run.Folder));
        run.Train(stopAfter: 1);
        Assert.Throws<FileNotFoundException>(() => run.Train(recipe: typo, fresh: true));
        Assert.Equal(1, run.Train(stopAfter: 2).Summary!.ResumedStep);
    }

    [Fact]
    public void A_run_whose_raw_text_is_gone_resumes_and_ends_with_the_bits_of_a_straight_one()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        run.Train(stopAfter: 10);
        Directory.Delete(run.File("text"), recursive: true);
        Assert.Equal(10, run.Train().Summary!.ResumedStep);
        AssertSameBits(straight.Of(nameof(TinyModels.Ling1)).Run, run);
        Assert.Throws<FileNotFoundException>(() => run.Train(fresh: true));
        Assert.Equal(20, run.Losses.Length);
    }

    [Fact]
    public void Text_and_tokenizer_that_change_after_they_were_packed_change_nothing()
    {
        using TinyRun straight = new(TinyModels.Ling1), changed = new(TinyModels.Ling1);
        Recipe Given(TinyRun run) => run.Recipe with { Data = run.Recipe.Data with { Tokenizer = run.File("given.json") } };
        foreach (TinyRun run in (TinyRun[])[straight, changed])
            BpeTrainer.Train(["the fox sees a grey stone and runs over hills"], new BpeTrainerConfig(270)).Save(run.File("given.json"));
        straight.Train(recipe: Given(straight));

        changed.Train(stopAfter: 10, recipe: Given(changed));
        File.WriteAllText(changed.File("text/00.txt"), "another text in the place of the first");
        BpeTrainer.Train(["one two three four five six seven"], new BpeTrainerConfig(265)).Save(changed.File("given.json"));
        Assert.Equal(10, changed.Train(recipe: Given(changed)).Summary!.ResumedStep);
        AssertSameBits(straight, changed);
    }

    [Fact]
    public void Data_packed_with_another_tokenizer_is_refused()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        run.Train(stopAfter: 1);
        string tokenizer = Path.Combine(run.Folder, "tokenizer.json");
        BpeTrainer.Train(["one two three four five six seven"], new BpeTrainerConfig(265)).Save(tokenizer);
        RunException fault = Assert.Throws<RunException>(() => run.Train());
        Assert.Contains("another tokenizer", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_that_predicts_the_token_after_next_resumes_with_the_same_bits_and_writes_samples()
    {
        using TinyRun straight = new(TinyModels.Ling2Mtp), resumed = new(TinyModels.Ling2Mtp);
        using RecordingObserver heard = straight.Train();
        Assert.Equal(2, heard.Sampled.Count);
        resumed.Train(stopAfter: 9);
        resumed.Train();
        Assert.Equal(straight.Losses, resumed.Losses);
        Assert.Equal(straight.NewestWeights(), resumed.NewestWeights());
        double[] losses = [.. straight.Metrics.Where(line => (string?)line["kind"] == "step").Select(line => (double)line["mtp_loss"]!)];
        Assert.True(losses[^1] < losses[0]);
    }

    [Fact]
    public void A_model_without_experts_trains_with_the_routing_warmup_that_a_recipe_has()
    {
        using TinyRun run = new(TinyModels.Ling1 with { NumExperts = 0, FirstKDenseReplace = TinyModels.Ling1.NumHiddenLayers, IntermediateSize = 48 });
        run.Train();
        Assert.True(run.Losses[^1].Loss < run.Losses[0].Loss);
    }

    [Fact]
    public void A_model_that_changed_under_the_run_is_refused()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        run.Train(stopAfter: 1);
        (run.Model with { RopeTheta = 20000 }).Save(run.Recipe.Model);
        RunException fault = Assert.Throws<RunException>(() => run.Train());
        Assert.Contains("step-000000001", fault.Message, StringComparison.Ordinal);
        Assert.Contains("--fresh", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.safetensors")]
    [InlineData("optimizer.safetensors")]
    [InlineData("trainer_state.json")]
    public void A_flipped_bit_in_the_only_checkpoint_is_refused_by_file(string name)
    {
        using var run = new TinyRun(TinyModels.Ling1);
        string file = Path.Combine(run.Train(stopAfter: 1).Result!.CheckpointFolder, name);
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^20] ^= 1;
        File.WriteAllBytes(file, bytes);
        RunException fault = Assert.Throws<RunException>(() => run.Train());
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
        Assert.Contains("restore one from a copy", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_flipped_bit_in_the_packed_text_is_refused_by_file()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        run.Train(stopAfter: 1);
        string file = Path.Combine(run.Folder, "data", "train-00000.tokens");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^20] ^= 1;
        File.WriteAllBytes(file, bytes);
        RunException fault = Assert.Throws<RunException>(() => run.Train());
        Assert.Contains(file, fault.Message, StringComparison.Ordinal);
        Assert.Contains("--fresh", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_newest_checkpoint_is_set_aside_and_the_run_ends_with_the_same_bits()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        string file = Path.Combine(run.Train(stopAfter: 10).Result!.CheckpointFolder, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(file);
        bytes[^20] ^= 1;
        File.WriteAllBytes(file, bytes);
        RecordingObserver heard = run.Train();
        Assert.Equal(8, heard.Summary!.ResumedStep);
        string warning = Assert.Single(heard.Warnings);
        Assert.Contains("step-000000010/model.safetensors: tensor '", warning, StringComparison.Ordinal);
        Assert.Contains("went back to step-000000008", warning, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', warning);
        Assert.True(Directory.Exists(Path.Combine(run.Folder, "checkpoints", "damaged-step-000000010")));
        AssertSameBits(straight.Of(nameof(TinyModels.Ling1)).Run, run);
    }

    [Fact]
    public void Two_runs_do_not_share_a_folder()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        using RunFolder taken = RunFolder.Open(run.Folder, run.Recipe, fresh: false);
        RunException fault = Assert.Throws<RunException>(() => run.Train());
        Assert.Contains("in use by another run", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_shorter_than_a_sequence_is_refused()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        Recipe longer = run.Recipe with { Training = run.Recipe.Training with { SequenceLength = 20_000, SequencesPerMicroBatch = 1 } };
        RunException fault = Assert.Throws<RunException>(() => run.Train(recipe: longer));
        Assert.Contains("fewer than one sequence of 20000", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Losses of every step once and in order, and the newest checkpoint's tensors.</summary>
    private static void AssertSameBits(TinyRun expected, TinyRun actual)
    {
        Assert.Equal(expected.Losses, actual.Losses);
        Assert.Equal(Enumerable.Range(1, expected.Losses.Length).Select(step => (long)step), actual.Losses.Select(line => line.Step));
        Assert.Equal(expected.NewestWeights(), actual.NewestWeights());
    }

    private static string Continue(DecodeSession session, Tokenizer tokenizer, Sampler sampler, string prompt, int count)
    {
        int[] ids = tokenizer.Encode(prompt);
        int promptLength = ids.Length;
        for (int i = 0; i < count; i++)
        {
            session.Reset();
            int next = sampler.Next(session.Run(ids), ids, ids.Length);
            if (next == tokenizer.EndOfTextId)
                break;
            ids = [.. ids, next];
        }

        return tokenizer.Decode(ids.AsSpan(promptLength));
    }

    /// <summary>The command line in a process of its own, ended without warning once a checkpoint is on disk.</summary>
    private static void RunUntilSavedThenKill(TinyRun run)
    {
        string[] arguments =
            [Path.Combine(AppContext.BaseDirectory, "lingotto.dll"), "pretrain", run.File("recipe.json"), "--run", run.Folder, "--threads", "1", "--json"];
        using var process = Process.Start(new ProcessStartInfo("dotnet", arguments) { RedirectStandardOutput = true, UseShellExecute = false })!;
        string? line;
        do
            line = process.StandardOutput.ReadLine();
        while (line is not null && !line.Contains("\"saved\"", StringComparison.Ordinal));
        process.Kill();
        process.WaitForExit();
        Assert.NotNull(line);
    }

    /// <summary>Uninterrupted runs on one thread, once for all tests.</summary>
    public sealed class StraightRuns : IDisposable
    {
        private readonly Dictionary<string, (TinyRun Run, RecordingObserver Heard)> _byModel = [];

        internal (TinyRun Run, RecordingObserver Heard) Of(string model)
        {
            if (!_byModel.TryGetValue(model, out (TinyRun Run, RecordingObserver Heard) made))
            {
                var run = new TinyRun(TinyModels.Of(model));
                _byModel.Add(model, made = (run, run.Train()));
            }

            return made;
        }

        public void Dispose()
        {
            foreach ((TinyRun run, _) in _byModel.Values)
                run.Dispose();
        }
    }
}
