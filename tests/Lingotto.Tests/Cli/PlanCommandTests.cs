using System.Text.Json;
using Xunit;

namespace Lingotto.Tests.Cli;

/// <summary>lingotto plan as a user types it.</summary>
public class PlanCommandTests
{
    [Fact]
    public void A_plan_says_device_cost_days_memory_and_why_not_the_others()
    {
        (int code, string text, string error) = CapturedTerminal.Run("", "plan", "ling-plus", "--tokens", "1T", "--devices", "ling-a,ling-d,ling-e");
        Assert.True(code == 0, error);
        Assert.Contains("ling-d", text, StringComparison.Ordinal);
        Assert.Contains("80 % interval", text, StringComparison.Ordinal);
        Assert.Contains("wins below", text, StringComparison.Ordinal);
        Assert.Contains("6.35M", text, StringComparison.Ordinal);
        Assert.Contains("branches cut", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--devices", "ling-z", "ling-z")]
    [InlineData("--no-vendor", "acme", "acme")]
    [InlineData("--tokens", "many", "many")]
    [InlineData("--tokens", "0", "above 0")]
    [InlineData("--stock", "ling-a", "ling-a=2000")]
    [InlineData("--deadline", "soon", "soon")]
    [InlineData("--edit-token-factor", "0.5", "below 1")]
    [InlineData("--straggler-share", "2", "0 to 1")]
    [InlineData("--straggler-share", "0.004", "--straggler-slowdown")]
    public void A_faulty_option_is_answered_in_one_line(string option, string value, string named)
    {
        (int code, string text, string error) = CapturedTerminal.Run("", "plan", "ling-plus", option, value);
        Assert.NotEqual(0, code);
        Assert.Empty(text);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void An_unknown_model_is_answered_with_those_that_there_are()
    {
        (int code, string _, string error) = CapturedTerminal.Run("", "plan", "ling-lyte");
        Assert.NotEqual(0, code);
        Assert.Contains("ling-lite", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_vendor_is_left_out_and_stock_bounds_a_fleet()
    {
        (int code, string text, string error) = CapturedTerminal.Run(
            "", "plan", "ling-lite", "--tokens", "300B", "--no-vendor", "nvidia", "--stock", "ling-a=16", "--currency", "USD");
        Assert.True(code == 0, error);
        Assert.DoesNotContain("h100", text, StringComparison.Ordinal);
        Assert.Contains("mi300x", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_simulated_pipeline_is_compared_with_its_formula_and_drawn()
    {
        using var folder = new Formats.TemporaryFolder();
        string picture = Path.Combine(folder.Path, "pipeline.svg"), trace = Path.Combine(folder.Path, "pipeline.json");
        (int code, string text, string error) = CapturedTerminal.Run(
            "", "plan", "simulate", "pipeline", "--stages", "4", "--micro-batches", "8", "--svg", picture, "--trace", trace);
        Assert.True(code == 0, error);
        Assert.Contains("33 s", text, StringComparison.Ordinal); // 8*3 + 3*3
        Assert.True(File.Exists(picture) && File.Exists(trace));
    }

    [Fact]
    public void Exports_and_pages_are_written()
    {
        using var folder = new Formats.TemporaryFolder();
        string page = Path.Combine(folder.Path, "plan.html");
        (int code, string text, string error) = CapturedTerminal.Run(
            "", "plan", "ling-lite", "--tokens", "300B", "--devices", "ling-a", "--html", page, "--export", "megatron");
        Assert.True(code == 0, error);
        Assert.StartsWith("--tensor-model-parallel-size", text, StringComparison.Ordinal);
        Assert.Contains("Where the money goes", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void Stages_on_two_kinds_are_shown_and_written_for_programs()
    {
        string[] question = ["plan", "ling-plus", "--tokens", "10B", "--devices", "ling-a,ling-d", "--stock", "ling-a=64,ling-d=32", "--mixed"];
        (int code, string text, string error) = CapturedTerminal.Run("", question);
        Assert.True(code == 0, error);
        Assert.Contains("two kinds together, stages on each", text, StringComparison.Ordinal);
        Assert.Contains("layers, ", text, StringComparison.Ordinal);
        (_, string json, _) = CapturedTerminal.Run("", [.. question, "--json"]);
        using var document = JsonDocument.Parse(json);
        JsonElement mixed = document.RootElement.GetProperty("mixed");
        Assert.Equal("stages", mixed.GetProperty("way").GetString());
        Assert.Equal("step", mixed.GetProperty("sync").GetString());
        Assert.Equal(88, mixed.GetProperty("parts").EnumerateArray().SelectMany(part => part.GetProperty("layers").EnumerateArray()).Sum(layers => layers.GetInt32()));
    }

    [Theory]
    [InlineData("two kinds", "ling-plus", "--tokens", "10B", "--devices", "ling-a,ling-d", "--stock", "ling-a=64,ling-d=32", "--mixed")]
    [InlineData("by the clock", "ling-lite", "--tokens", "1T", "--sequences", "1024", "--devices", "ling-a", "--deadline", "5d", "--sync", "edit", "--straggler-share", "0.004", "--straggler-slowdown", "0.66")]
    public void What_no_program_can_be_told_is_not_exported(string reason, params string[] question)
    {
        foreach (string format in (string[])["megatron", "deepspeed", "recipe"])
        {
            (int code, string text, string error) = CapturedTerminal.Run("", ["plan", .. question, "--export", format]);
            Assert.NotEqual(0, code);
            Assert.Empty(text);
            Assert.Contains(reason, error, StringComparison.Ordinal);
            Assert.Contains("leave out", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Without_any_plan_no_pair_is_compared_with_one()
    {
        (_, string text, _) = CapturedTerminal.Run(
            "", "plan", "ling-plus", "--tokens", "1T", "--devices", "ling-a,ling-d", "--stock", "ling-a=8,ling-d=8", "--mixed");
        Assert.DoesNotContain("best single kind", text, StringComparison.Ordinal);
        Assert.Contains("no pair keeps", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Islands_are_planned_only_if_they_are_asked_for_and_say_what_they_assume()
    {
        string[] question = ["plan", "ling-lite", "--tokens", "1T", "--sequences", "1024", "--devices", "ling-a", "--deadline", "5d", "--straggler-share", "0.004", "--straggler-slowdown", "0.66"];
        (_, string synchronous, _) = CapturedTerminal.Run("", question);
        Assert.DoesNotContain("EDiT", synchronous, StringComparison.Ordinal);
        (_, string islands, _) = CapturedTerminal.Run("", [.. question, "--sync", "edit"]);
        Assert.Contains("EDiT", islands, StringComparison.Ordinal);
        Assert.Contains("--edit-token-factor", islands, StringComparison.Ordinal);
        Assert.Contains(" islands", islands, StringComparison.Ordinal);
        using var folder = new Formats.TemporaryFolder();
        string page = Path.Combine(folder.Path, "plan.html");
        (_, string json, _) = CapturedTerminal.Run("", [.. question.Select(word => word == "ling-a" ? "ling-a,ling-a" : word), "--sync", "edit", "--edit-token-factor", "1.02", "--html", page, "--json"]);
        using var document = JsonDocument.Parse(json);
        JsonElement row = document.RootElement.GetProperty("plans").EnumerateArray().Single(); // a device named twice is one
        Assert.Equal("edit", row.GetProperty("sync").GetString());
        Assert.Equal(1.02, row.GetProperty("token_factor").GetDouble());
        Assert.Contains("by the clock (EDiT), with 1.02 times the tokens", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void This_machine_says_what_it_will_do_with_a_recipe_and_refuses_another_precision()
    {
        using var folder = new Formats.TemporaryFolder();
        string machine = Path.Combine(folder.Path, "here.json");
        Lingotto.Planning.DeviceCatalogue.WriteDevice(Planning.PlanningFixture.Catalogue["h100-sxm"] with
        {
            Name = "here",
            Training = new Lingotto.Planning.MeasuredTraining
            {
                Precision = "bf16",
                MatmulFlops = 4e11,
                AttentionFlops = 1e11,
                ElementwiseBytes = 1e10,
                OptimizerParameters = 1e9,
                ActivationScale = 1,
            },
        }, machine);
        (int code, string text, string error) = CapturedTerminal.Run("", "plan", "quickstart", "--here", machine);
        Assert.True(code == 0, error);
        Assert.Contains("tokens/s", text, StringComparison.Ordinal);
        Assert.Contains("an update of", text, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder.Path, "metrics.jsonl"), string.Join('\n',
        [
            """{"kind":"start","step":0,"planned_bytes":1048576}""",
            .. new[] { 1, 2, 500, 700, 600 }.Select((rate, i) => $$"""{"kind":"step","step":{{i + 1}},"tokens_per_second":{{rate}}}"""),
            """{"kind":"step","step":6,"tokens_per""",
        ]));
        (code, text, error) = CapturedTerminal.Run("", "plan", "quickstart", "--here", machine, "--run", folder.Path);
        Assert.True(code == 0, error);
        Assert.Contains("did 600 tokens/s (median of 3 updates) and planned 1.0 MiB", text, StringComparison.Ordinal);
        string recipe = Path.Combine(folder.Path, "f32.json");
        File.WriteAllText(recipe, File.ReadAllText(RepositoryRoot.File("recipes", "quickstart.json"))
            .Replace("\"training\": {", "\"training\": { \"precision\": \"f32\",", StringComparison.Ordinal));
        (code, _, error) = CapturedTerminal.Run("", "plan", recipe, "--here", machine);
        Assert.NotEqual(0, code);
        Assert.Contains("measured in bf16", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }
}
