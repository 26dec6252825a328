using Lingotto.Runs;
using Lingotto.Tests.Formats;
using Xunit;

namespace Lingotto.Tests.Runs;

public sealed class RecipeFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_recipe_of_the_repository_loads_by_its_name()
    {
        foreach (string path in Directory.EnumerateFiles(RepositoryRoot.File("recipes"), "*.json"))
            Assert.NotEmpty(RecipeFile.Load(Path.GetFileNameWithoutExtension(path), RepositoryRoot.Folder, []).Model);
    }

    [Fact]
    public void Keys_that_a_file_leaves_out_have_the_defaults_of_the_records()
    {
        Recipe recipe = Load("""{ "model": "m", "training": { "num_steps": 3 } }""");
        Assert.Equal(new OptimizerConfig(), recipe.Optimizer);
        Assert.Equal(new TrainingConfig { NumSteps = 3 }, recipe.Training);
        Assert.Equal(new HardwareConfig(), recipe.Hardware);
        Assert.Equal(new ScheduleConfig(), recipe.Schedule);
    }

    [Fact]
    public void A_mixture_and_its_changes_stand_in_the_recipe()
    {
        Recipe recipe = Load("""
            { "model": "m", "training": { "num_steps": 3 }, "data": {
                "sources": [ { "name": "a", "paths": ["x"], "weight": 0.5 }, { "name": "b", "paths": ["y", "z"], "tier": 2 } ],
                "stages": [ { "from_step": 2, "weights": { "b": 1.5 } } ] } }
            """);
        Assert.Equal([("a", 0.5, 1), ("b", null, 2)], recipe.Data.Sources.Select(source => (source.Name, source.Weight, source.Tier)));
        Assert.Equal(1.5, Assert.Single(recipe.Data.Stages).Weights["b"]);
    }

    [Theory]
    [InlineData("""{ "sources": [ { "name": "a", "paths": ["x"], "weihgt": 1 } ] }""", "data.sources cannot be")]
    [InlineData("""{ "sources": [ { "paths": ["x"] } ] }""", "no name or no paths")]
    [InlineData("""{ "sources": [ { "name": "a", "paths": ["x"], "tier": 10 } ] }""", "tier 10")]
    [InlineData("""{ "sources": [ { "name": "a", "paths": ["x"] } ], "paths": ["y"] }""", "data.paths are both given")]
    [InlineData("""{ "sources": [ { "name": "a", "paths": ["x"] } ], "stages": [ { "from_step": 2, "weights": { "b": 1 } } ] }""", "weigh 'b'")]
    [InlineData("""{ "sources": [ { "name": "a", "paths": ["x"] } ], "stages": [ { "from_step": 0, "weights": { "a": 1 } } ] }""", "begin at step 0")]
    public void A_faulty_mixture_in_a_recipe_is_named(string data, string expected)
    {
        string file = Write($$"""{ "model": "m", "training": { "num_steps": 3 }, "data": {{data}} }""");
        Assert.Contains(Assert.Throws<RecipeException>(() => RecipeFile.Load(file, "", [])).Faults, fault => fault.Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Comments_and_trailing_commas_are_allowed() =>
        Assert.Equal(7UL, Load("{ // which\n \"model\": \"m\", /* how long */ \"training\": { \"minutes\": 1, \"seed\": 7, }, }").Training.Seed);

    [Theory]
    [InlineData("training.sequence_lenght", "training.sequence_length")]
    [InlineData("trainin", "training")]
    [InlineData("schedule.lr_warmup_steps", "schedule.warmup_steps")]
    [InlineData("learning_rate", "schedule.learning_rate")]
    [InlineData("optimizer.beta_1", "optimizer.beta1")]
    public void A_mistyped_key_names_file_line_and_the_nearest_key(string typed, string meant)
    {
        string[] names = typed.Split('.');
        string inner = names.Length == 1 ? $"\"{typed}\": 1" : $"\"{names[0]}\": {{\n\"{names[1]}\": 1 }}";
        string file = Write($"{{ \"model\": \"m\",\n{inner} }}");
        string fault = Assert.Throws<RecipeException>(() => RecipeFile.Load(file, "", ["training.minutes=1"])).Faults[0];
        Assert.Equal($"{file}:{1 + names.Length}: {typed} is no key of a recipe: did you mean {meant}?", fault);
    }

    [Fact]
    public void A_key_like_no_other_is_answered_with_the_keys_there_are()
    {
        string message = Fault("""{ "model": "m", "training": { "minutes": 1, "zzzzzzzzzz": 1 } }""");
        Assert.Contains("training has sequence_length, rope_theta, sequences_per_micro_batch", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_duplicate_key_names_both_lines()
    {
        string message = Fault("{ \"model\": \"m\",\n\"training\": { \"minutes\": 1,\n \"minutes\": 2 } }");
        Assert.EndsWith(":3: training.minutes was given on line 2 already: remove one", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("training.sequence_length", "\"long\"", "a whole number")]
    [InlineData("training.sequence_length", "2.5", "a whole number")]
    [InlineData("training.sequence_length", "99999999999", "a whole number")]
    [InlineData("training.sequence_length", "null", "a whole number")]
    [InlineData("training.num_steps", "true", "a whole number or null")]
    [InlineData("schedule.learning_rate", "\"1\"", "a number")]
    [InlineData("data.paths", "\"a\"", "a list of texts")]
    [InlineData("data.paths", "[null]", "a list of texts")]
    [InlineData("data.tokenizer", "3", "text in quotes or null")]
    [InlineData("hardware.currency", "null", "text in quotes")]
    public void A_value_of_the_wrong_type_says_what_to_give(string key, string value, string expected)
    {
        string[] names = key.Split('.');
        string message = Fault($"{{ \"model\": \"m\",\n\"{names[0]}\": {{\n\"{names[1]}\": {value} }} }}", "training.minutes=1");
        Assert.Contains($":3: {key} cannot be {value}: give {expected}", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_section_that_is_no_section_is_a_fault() =>
        Assert.Contains(":1: training cannot be 5: give a section in braces", Fault("""{ "model": "m", "training": 5 }"""), StringComparison.Ordinal);

    [Fact]
    public void Every_fault_is_listed_in_one_line()
    {
        var e = Assert.Throws<RecipeException>(() => Load(
            "{ \"modell\": \"m\",\n\"training\": { \"seed\": -1,\n\"micro_batches\": -1 },\n\"optimizer\": { \"beta1\": 1 } }", "model=m", "router.zloss=1"));
        Assert.Equal(6, e.Faults.Count);
        Assert.DoesNotContain('\n', e.Message);
        Assert.All(e.Faults, fault => Assert.Contains(fault, e.Message, StringComparison.Ordinal));
        Assert.Contains(e.Faults, fault => fault.EndsWith(":3: training.micro_batches is -1: give 0 or more", StringComparison.Ordinal));
        Assert.Contains(e.Faults, fault => fault.EndsWith(":4: optimizer.beta1 is 1: give at least 0 and below 1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("{ \"model\": \"m\",\n \"training\": { \"minutes\": 1 }\n", ":3: is not JSON")]
    [InlineData("{ \"model\": \"m\" } x", ":1: is not JSON")]
    [InlineData("[1]", ":1: a recipe is a JSON object")]
    [InlineData("", ":1: is not JSON")]
    [InlineData("{ \"training\": { \"minutes\": 1 } }", "model is missing")]
    public void A_file_that_is_no_recipe_says_where(string text, string expected) =>
        Assert.Contains(expected, Fault(text), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "num_steps and training.minutes are both absent")]
    [InlineData("\"num_steps\": 5, \"minutes\": 5", "minutes and training.num_steps are both given")]
    public void Exactly_one_length_of_the_run_is_given(string length, string expected) =>
        Assert.Contains(expected, Fault($"{{ \"model\": \"m\", \"training\": {{ {length} }} }}"), StringComparison.Ordinal);

    [Fact]
    public void Overrides_replace_values_by_the_type_of_the_key()
    {
        Recipe recipe = Load(
            """{ "model": "m", "training": { "minutes": 5 } }""",
            "training.minutes=null", "training.num_steps=20", "schedule.learning_rate=1e-3", "model=some/config.json",
            "data.paths=a.txt", "samples.prompts=[\"x, y\", \"z\"]", "data.tokenizer=t=1.json", "training.seed=1", "training.seed=18446744073709551615");
        Assert.Equal((null, 20L, 1e-3), (recipe.Training.Minutes, recipe.Training.NumSteps, recipe.Schedule.LearningRate));
        Assert.Equal("some/config.json", recipe.Model);
        Assert.Equal(["a.txt"], recipe.Data.Paths);
        Assert.Equal(["x, y", "z"], recipe.Samples.Prompts);
        Assert.Equal("t=1.json", recipe.Data.Tokenizer);
        Assert.Equal(ulong.MaxValue, recipe.Training.Seed);
    }

    [Theory]
    [InlineData("training.sed=1", "--set training.sed=1: training.sed is no key of a recipe: did you mean training.seed?")]
    [InlineData("training.seed", "--set training.seed: has no '=': write --set training.seed=VALUE")]
    [InlineData("training.seed=x", "--set training.seed=x: training.seed cannot be that: give a whole number")]
    [InlineData("data.paths=[", "--set data.paths=[: data.paths cannot be that: give a list of texts such as [\"a\", \"b\"]")]
    [InlineData("checkpoints=1", "--set checkpoints=1: checkpoints is a section: set one of its keys, every_steps, keep, asynchronous")]
    [InlineData("checkpoints.keep=0", "--set: checkpoints.keep is 0: give 1 or more")]
    public void A_faulty_override_says_how_to_mend_it(string assignment, string expected) =>
        Assert.Equal(expected, Fault("""{ "model": "m", "training": { "minutes": 1 } }""", assignment));

    [Fact]
    public void A_mistyped_recipe_name_suggests_the_nearest() => Assert.Equal(
        "quikstart: no such recipe: did you mean quickstart?",
        Assert.Throws<RecipeException>(() => RecipeFile.Load("quikstart", RepositoryRoot.Folder, [])).Message);

    [Fact]
    public void Every_value_knows_where_it_came_from()
    {
        string file = Write("{ \"model\": \"m\",\n\"training\": {\n\"minutes\": 5 } }");
        Dictionary<string, RecipeOrigin> origins = RecipeFile.Open(file, "", ["training.seed=3"]).Origins.ToDictionary(origin => origin.Key);
        Assert.Equal(new RecipeOrigin("training.minutes", "5", $"{file}:3"), origins["training.minutes"]);
        Assert.Equal(new RecipeOrigin("training.seed", "3", "--set"), origins["training.seed"]);
        Assert.Equal(new RecipeOrigin("checkpoints.keep", "2", "default"), origins["checkpoints.keep"]);
        Assert.Equal(new RecipeOrigin("data.tokenizer", "null", "default"), origins["data.tokenizer"]);
    }

    [Fact]
    public void The_effective_recipe_written_out_reads_back_the_same()
    {
        RecipeFile recipe = RecipeFile.Open("quickstart", RepositoryRoot.Folder, ["optimizer.epsilon=1e-9"]);
        Assert.Equal(recipe.ToJson(), RecipeFile.Open(Write(recipe.ToJson()), "", []).ToJson());
    }

    private string Write(string text)
    {
        string path = Path.Combine(_folder.Path, "recipe.json");
        File.WriteAllText(path, text);
        return path;
    }

    private Recipe Load(string text, params string[] overrides) => RecipeFile.Load(Write(text), "", overrides);

    private string Fault(string text, params string[] overrides) =>
        Assert.Throws<RecipeException>(() => Load(text, overrides)).Message;
}
