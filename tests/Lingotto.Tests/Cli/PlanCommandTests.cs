using System.Text.Json;
using Xunit;

namespace Lingotto.Tests.Cli;

/// <summary>Tests lingotto plan from the command line.</summary>
public class PlanCommandTests
{
    [Fact]
    public void A_plan_prints_devices_costs_intervals_and_break_even_prices()
    {
        (int code, string text, string error) = CapturedTerminal.Run("", "plan", "ling-plus", "--tokens", "1T", "--devices",
            "ling-a,ling-d,ling-e");
        Assert.True(code == 0, error);
        Assert.Contains("ling-d", text, StringComparison.Ordinal);
        Assert.Contains("80 % interval", text, StringComparison.Ordinal);
        Assert.Contains("break-even", text, StringComparison.Ordinal);
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
    [InlineData("--edit-token-factor", "0.5", "below 1", "--sync", "edit")]
    [InlineData("--straggler-share", "2", "0 to 1")]
    [InlineData("--straggler-share", "0.004", "--straggler-slowdown")]
    [InlineData("--straggler-slowdown", "0.66", "--straggler-share")]
    [InlineData("--edit-token-factor", "1.05", "--sync edit")]
    [InlineData("--currency", "EUR", "--currency cannot be 'EUR': give CNY or USD")]
    [InlineData("--recompute", "all", "none, selective or full")]
    [InlineData("--sequences", "-1", "--sequences cannot be '-1'")]
    [InlineData("--imbalance", "nan", "--imbalance")]
    [InlineData("--devices", "", "names none")]
    [InlineData("--devices", "h9999", "without --devices shows all")]
    [InlineData("--devices", "910b2", "did you mean ascend-910b2?")]
    [InlineData("--stock", "foo=3", "--stock: foo")]
    [InlineData("--stock", "ling-a=2,ling-a=3", "twice")]
    [InlineData("--run", "runs/x", "--here")]
    [InlineData("--here", "here.json", "--sync", "--sync", "edit")]
    [InlineData("--stock", "h100-sxm=20", "leaves out", "--devices", "ling-a")]
    [InlineData("--no-vendor", "nvidia", "leaves out every device", "--devices", "h100-sxm")]
    [InlineData("--fp8", null, "none of the devices has FP8", "--devices", "ling-a")]
    [InlineData("--pareto", null, "give one of them", "--json")]
    [InlineData("--layout", "t8 q4", "'q4' is no part of a layout")]
    [InlineData("--layout", "t8 t4", "twice")]
    [InlineData("--layout", "t8", "--recompute", "--recompute", "full")]
    public void A_faulty_option_gives_an_error_of_one_line(string option, string? value, string named, params string[] others)
    {
        (int code, string text, string error) = CapturedTerminal.Run("",
            ["plan", "ling-plus", option, .. value is null ? [] : new[] { value }, .. others]);
        Assert.NotEqual(0, code);
        Assert.Empty(text);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void An_unknown_model_gives_the_list_of_models()
    {
        (int code, string _, string error) = CapturedTerminal.Run("", "plan", "ling-lyte");
        Assert.NotEqual(0, code);
        Assert.Contains("ling-lite", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("raise --deadline to it", "--deadline", "36h")]
    [InlineData("raise --budget to it", "--budget", "1K")]
    [InlineData("raise --stock", "--stock", "ling-a=8")]
    [InlineData("42 query heads do not divide by t = 4", "--layout", "t4 p8 e8 d30")]
    public void Without_a_plan_each_device_says_what_to_change(string remedy, string option, string value)
    {
        (int code, string text, string error) = CapturedTerminal.Run("", "plan", "ling-plus", "--devices", "ling-a", option, value);
        Assert.NotEqual(0, code);
        Assert.Contains(remedy, text, StringComparison.Ordinal);
        Assert.StartsWith("error: no device", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_given_layout_costs_as_much_as_in_the_search()
    {
        string[] question = ["plan", "ling-lite", "--tokens", "300B", "--devices", "h800", "--json"];
        using var searched = JsonDocument.Parse(CapturedTerminal.Run("", question).Item2);
        JsonElement best = searched.RootElement.GetProperty("plans")[0];
        Assert.Equal("h800-sxm", best.GetProperty("device").GetString()); // the only device with this prefix
        using var given = JsonDocument.Parse(CapturedTerminal.Run("", [.. question, "--layout", best.GetProperty("layout").GetString()!])
            .Item2);
        Assert.Equal(best.GetProperty("cost").GetDouble(), given.RootElement.GetProperty("plans")[0].GetProperty("cost").GetDouble());
        Assert.Equal(1, given.RootElement.GetProperty("search").GetProperty("evaluated").GetInt32());
    }

    [Fact]
    public void A_refused_layout_with_islands_names_the_rule()
    {
        (int code, string text, _) = CapturedTerminal.Run("", "plan", "ling-lite", "--devices", "ling-a", "--sync", "edit", "--layout",
            "t1 p1 e1 d3 islands2 b1");
        Assert.NotEqual(0, code);
        Assert.Contains("do not divide", text, StringComparison.Ordinal);
        Assert.DoesNotContain("give --sync edit", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_of_the_user_without_a_price_does_not_stop_the_plan()
    {
        using var folder = new Formats.TemporaryFolder();
        string file = Path.Combine(folder.Path, "ling-d.json");
        Lingotto.Planning.DeviceCatalogue.WriteDevice(Planning.PlanningFixture.Catalogue["ling-d"] with { Prices = [] }, file);
        (int code, string text, string error) = CapturedTerminal.Run("", "plan", "ling-plus", "--devices", $"ling-a,{file}");
        Assert.True(code == 0, error);
        Assert.DoesNotContain("published (arXiv", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_device_of_the_catalogue_is_in_the_answer()
    {
        (_, string text, _) = CapturedTerminal.Run("", "plan", "ling-lite", "--tokens", "300B");
        Assert.All(Planning.PlanningFixture.Catalogue.Devices, device => Assert.Contains(device.Name, text, StringComparison.Ordinal));
        Assert.Contains("its peak is unknown", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_options_do_not_change_the_comparison_with_published_costs()
    {
        string[] question = ["plan", "ling-plus", "--devices", "ling-a,ling-d"];
        string Comparison(params string[] more)
        {
            string text = CapturedTerminal.Run("", [.. question, .. more]).Item2;
            return text[text.IndexOf("published (arXiv", StringComparison.Ordinal)..text.IndexOf("search:", StringComparison.Ordinal)];
        }

        Assert.Equal(Comparison(), Comparison("--tokens", "2T", "--sync", "edit", "--straggler-share", "0.004", "--straggler-slowdown",
            "0.66", "--imbalance", "2"));
        Assert.Contains("1.2 times the mean", Comparison(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--straggler-share", "5")]
    [InlineData("--failures", "-3")]
    [InlineData("--second-step", "-5")]
    [InlineData("--workers", "2000000")]
    [InlineData("--exchange", "daily")]
    [InlineData("--restart", "1e9", "below 1,000,000,000")]
    public void A_fleet_that_cannot_be_simulated_gives_an_error_of_one_line(string option, string value, string named = "")
    {
        (int code, string _, string error) = CapturedTerminal.Run("", "plan", "simulate", "fleet", option, value, "--hours", "100");
        Assert.NotEqual(0, code);
        Assert.Contains(option, error, StringComparison.Ordinal);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_vendor_can_be_excluded_and_stock_limits_a_fleet()
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
        Assert.Contains("Cost by parts", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void Stages_on_two_kinds_are_printed_and_written_as_json()
    {
        string[] question = ["plan", "ling-plus", "--tokens", "10B", "--devices", "ling-a,ling-d", "--stock", "ling-a=64,ling-d=32",
            "--mixed"];
        (int code, string text, string error) = CapturedTerminal.Run("", question);
        Assert.True(code == 0, error);
        Assert.Contains("two kinds together, stages on each", text, StringComparison.Ordinal);
        Assert.Contains("layers, ", text, StringComparison.Ordinal);
        (_, string json, _) = CapturedTerminal.Run("", [.. question, "--json"]);
        using var document = JsonDocument.Parse(json);
        JsonElement mixed = document.RootElement.GetProperty("mixed");
        Assert.Equal("stages", mixed.GetProperty("way").GetString());
        Assert.Equal("step", mixed.GetProperty("sync").GetString());
        Assert.Equal(88, mixed.GetProperty("parts").EnumerateArray().SelectMany(part => part.GetProperty("layers").EnumerateArray())
            .Sum(layers => layers.GetInt32()));
    }

    [Theory]
    [InlineData("two kinds", "ling-plus", "--tokens", "10B", "--devices", "ling-a,ling-d", "--stock", "ling-a=64,ling-d=32", "--mixed")]
    [InlineData(
        "time-based sync", "ling-lite", "--tokens", "1T", "--sequences", "1024", "--devices", "ling-a", "--deadline", "5d", "--sync",
        "edit",
        "--straggler-share", "0.004", "--straggler-slowdown", "0.66")]
    public void A_plan_that_no_program_supports_is_not_exported(string reason, params string[] question)
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
    public void Without_a_plan_no_pair_is_compared_with_a_single_kind()
    {
        (_, string text, _) = CapturedTerminal.Run(
            "", "plan", "ling-plus", "--tokens", "1T", "--devices", "ling-a,ling-d", "--stock", "ling-a=8,ling-d=8", "--mixed");
        Assert.DoesNotContain("best single kind", text, StringComparison.Ordinal);
        Assert.Contains("no pair keeps", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Islands_are_planned_only_if_they_are_allowed_and_name_their_assumption()
    {
        string[] question = ["plan", "ling-lite", "--tokens", "1T", "--sequences", "1024", "--devices", "ling-a", "--deadline", "5d",
            "--straggler-share", "0.004", "--straggler-slowdown", "0.66"];
        (_, string synchronous, _) = CapturedTerminal.Run("", question);
        Assert.DoesNotContain("EDiT", synchronous, StringComparison.Ordinal);
        (_, string islands, _) = CapturedTerminal.Run("", [.. question, "--sync", "edit"]);
        Assert.Contains("EDiT", islands, StringComparison.Ordinal);
        Assert.Contains("--edit-token-factor", islands, StringComparison.Ordinal);
        Assert.Contains(" islands", islands, StringComparison.Ordinal);
        using var folder = new Formats.TemporaryFolder();
        string page = Path.Combine(folder.Path, "plan.html");
        (_, string json, _) = CapturedTerminal.Run("", [.. question.Select(word => word == "ling-a" ? "ling-a,ling-a" : word), "--sync",
            "edit", "--edit-token-factor", "1.02", "--html", page, "--json"]);
        using var document = JsonDocument.Parse(json);
        JsonElement row = document.RootElement.GetProperty("plans").EnumerateArray().Single(); // a device named twice is one
        Assert.Equal("edit", row.GetProperty("sync").GetString());
        Assert.Equal(1.02, row.GetProperty("token_factor").GetDouble());
        Assert.Contains("time-based (EDiT), with 1.02 times the tokens", File.ReadAllText(page), StringComparison.Ordinal);
    }

    [Fact]
    public void A_recipe_is_predicted_on_this_machine_in_its_precision_only()
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

    [Theory]
    [InlineData("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 0", "num_key_value_heads")]
    [InlineData("\"hidden_size\": 64", "\"hidden_size\": 66", "num_attention_heads (4) does not divide hidden_size (66)")]
    [InlineData("\"num_experts\": 8", "\"num_experts\": 0", "num_experts is 0")]
    public void A_config_with_impossible_sizes_gives_an_error_of_one_line_that_names_the_key(string text, string fault, string named)
    {
        using var folder = new Formats.TemporaryFolder();
        string file = Path.Combine(folder.Path, "config.json"), shipped = File.ReadAllText(RepositoryRoot.File("models", "tiny.json"));
        Assert.Contains(text, shipped, StringComparison.Ordinal);
        File.WriteAllText(file, shipped.Replace("  \"head_dim\": 16,\n", "", StringComparison.Ordinal)
            .Replace(text, fault, StringComparison.Ordinal));
        (int code, string output, string error) = CapturedTerminal.Run("", "plan", file, "--devices", "ling-a");
        Assert.NotEqual(0, code);
        Assert.Empty(output);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_tiny_model_has_no_figure_that_is_rounded_to_zero()
    {
        (int code, string text, string error) = CapturedTerminal.Run("", "plan", "tiny", "--tokens", "1M", "--devices", "ling-a");
        Assert.True(code == 0, error);
        Assert.Contains("MFLOP/token", text, StringComparison.Ordinal);
        Assert.DoesNotContain(" 0.0 GB", text, StringComparison.Ordinal);
        Assert.DoesNotContain("0.000 s", text, StringComparison.Ordinal);
    }
}
