using System.Diagnostics;
using System.Text.Json.Nodes;
using Lingotto.Cli;
using Lingotto.Tests.Formats;
using Xunit;

namespace Lingotto.Tests.Cli;

/// <summary>The program as a process: signals, exit codes, resuming, and text from the weights that were saved.</summary>
public sealed class ProcessTests : IDisposable
{
    private const string Model = """
        { "architectures": ["BailingMoeForCausalLM"], "model_type": "bailing_moe", "vocab_size": 270, "hidden_size": 32,
          "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
          "max_position_embeddings": 64, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "num_shared_experts": 1,
          "use_bias": false, "use_qkv_bias": false }
        """;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData("TERM", ExitCodes.Terminated)]
    [InlineData("INT", ExitCodes.Interrupted)]
    public void A_signal_saves_the_run_and_the_same_command_goes_on(string signal, int expected)
    {
        Skip.IfNot(OperatingSystem.IsLinux() || OperatingSystem.IsMacOS(), "signals are sent with kill");
        string[] pretrain = ["pretrain", WriteRecipe(), "--run", _folder.File("run"), "--threads", "1", "--json", "--trace"];
        using (Process process = Start(pretrain))
        {
            ReadUntil(process, "step");
            using (Process kill = Process.Start("kill", ["-s", signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]))
                kill.WaitForExit();
            JsonNode result = ReadUntil(process, "finished");
            Assert.Equal("Interrupted", result["outcome"]!.GetValue<string>());
            Assert.True(Directory.Exists(result["checkpoint_folder"]!.GetValue<string>()));
            process.WaitForExit();
            Assert.Equal(expected, process.ExitCode);
            Assert.True(File.Exists(_folder.File(Path.Combine("run", "trace.json"))));
        }

        using (Process process = Start([.. pretrain, "--max-time", "0.1s"]))
        {
            Assert.True(ReadUntil(process, "started")["resumed_step"]!.GetValue<long>() > 0);
            Assert.Equal("TimeUp", ReadUntil(process, "finished")["outcome"]!.GetValue<string>());
            process.WaitForExit();
            Assert.Equal(ExitCodes.Done, process.ExitCode);
        }

        string[] generate = ["generate", _folder.File("run"), "--prompt", "the", "--threads", "1", "--tokens"];
        (int code, string text, string error) = CapturedTerminal.Run("", [.. generate, "8"]);
        Assert.True(code == ExitCodes.Done, error);
        Assert.StartsWith("the", text, StringComparison.Ordinal);
        Assert.Equal(text, CapturedTerminal.Run("", [.. generate, "8"]).Out);
        Assert.Contains("lower --tokens", CapturedTerminal.Run("", [.. generate, "64"]).Error, StringComparison.Ordinal);
    }

    private string WriteRecipe()
    {
        File.WriteAllText(_folder.File("model.json"), Model);
        File.WriteAllLines(_folder.File("text.jsonl"), Enumerable.Range(0, 200).Select(i => $"{{\"text\":\"the cat {i} sat on the mat {i * 7919}\"}}"));
        var recipe = new JsonObject
        {
            ["model"] = _folder.File("model.json"),
            ["data"] = new JsonObject { ["paths"] = new JsonArray(_folder.File("text.jsonl")), ["held_out_fraction"] = 0.1 },
            ["training"] = new JsonObject { ["sequence_length"] = 16, ["sequences_per_micro_batch"] = 2, ["num_steps"] = 10_000_000 },
            ["evaluation"] = new JsonObject { ["every_steps"] = 0 },
        };
        File.WriteAllText(_folder.File("tiny.json"), recipe.ToJsonString());
        return _folder.File("tiny.json");
    }

    private static Process Start(string[] args)
    {
        string program = Path.Combine(AppContext.BaseDirectory, "lingotto.dll");
        return Process.Start(new ProcessStartInfo("dotnet", ["exec", program, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
    }

    private static JsonNode ReadUntil(Process process, string kind)
    {
        while (process.StandardOutput.ReadLine() is { } line)
        {
            if (JsonNode.Parse(line)!["kind"]!.GetValue<string>() == kind)
                return JsonNode.Parse(line)!;
        }

        throw new InvalidOperationException($"the process ended before it said {kind}: {process.StandardError.ReadToEnd()}");
    }
}
