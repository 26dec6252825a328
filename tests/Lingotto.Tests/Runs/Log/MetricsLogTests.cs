using System.Text.Json.Nodes;
using Lingotto.Runs;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Model;
using Lingotto.Tests.Training;
using Xunit;

namespace Lingotto.Tests.Runs;

public sealed class MetricsLogTests
{
    [Fact]
    public void Resuming_drops_later_steps_and_the_line_that_a_crash_cut_short_and_keeps_starts_and_stops()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.jsonl"), start = "{\"kind\":\"start\",\"step\":0}", stop = "{\"kind\":\"stop\",\"step\":2}";
        File.WriteAllText(
            path,
            $"{start}\n{{\"kind\":\"step\",\"step\":1}}\n{{\"kind\":\"step\",\"step\":2,\"time\":50,\"tokens\":20,\"tokens_per_second\":10}}\n{{\"kind\":\"held_out\",\"step\":2}}\n{stop}\n{{\"kind\":\"step\",\"st");
        using (MetricsLog log = Open(path, resumedStep: 1))
            log.Write(new EvaluationMetrics(2, double.NaN, 1.5, 100, false));
        string[] lines = File.ReadAllLines(path);
        Assert.Equal([start, "{\"kind\":\"step\",\"step\":1}", stop], lines[..^1]);
        JsonNode written = JsonNode.Parse(lines[^1])!;
        Assert.Null(written["loss"]);
        Assert.Equal((1.5, 100), ((double)written["bits_per_byte"]!, (int)written["tokens"]!));
    }

    [Fact]
    public void What_resuming_drops_is_counted()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.jsonl");
        File.WriteAllLines(path, Enumerable.Range(1, 9).Select(
            step => $"{{\"kind\":\"step\",\"step\":{step},\"time\":{100 + step},\"tokens\":{20 * step},\"tokens_per_second\":10}}"));
        Assert.Equal(new DroppedLines(4, 8, 109), DroppedLines.Cut(path, 5));
        Assert.Equal(5, File.ReadAllLines(path).Length);
        Assert.Equal(new DroppedLines(0, 0, null), DroppedLines.Cut(path, 5));
    }

    [Fact]
    public void What_was_spent_stays_spent_when_a_crash_makes_it_in_vain_and_when_the_price_changes()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.jsonl");
        File.WriteAllLines(path, Enumerable.Range(1, 9).Select(step => $"{{\"kind\":\"step\",\"step\":{step},\"elapsed_seconds\":{360 * step},\"cost\":{step}}}"));
        using MetricsLog log = Open(path, resumedStep: 5);
        Assert.Equal((9, null), log.Spent);

        // The checkpoint is of 1,800 s; an hour of this session costs 20, of the one before it cost 10.
        var bill = new RunBill(new HardwareConfig { PricePerHour = 20, Watts = 500 }, log.Spent, 1800);
        bill.ChargeUntil(1800 + 360);
        Assert.Equal(9 + 2, bill.Cost!.Value, 9);
        Assert.Equal(0.5 * 2160 / 3600, bill.KilowattHours!.Value, 9); // no line told the energy before
        var unpriced = new RunBill(new HardwareConfig(), log.Spent, 1800);
        unpriced.ChargeUntil(9999);
        Assert.Equal((9, null), (unpriced.Cost, unpriced.KilowattHours));
    }

    [Fact]
    public void Money_that_is_not_known_is_not_written()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.jsonl");
        var step = new StepMetrics(1, null, 10, 3, 1e-3, 1, 1, 1, 10, 0.5, 1, [[5, 5]], 1, null, 1, null, null, false);
        using (MetricsLog log = Open(path, 0))
        {
            log.Write(step);
            log.Write(step with { Step = 2, Cost = 0.5, CostPerTrillionTokens = 9, KilowattHours = 0.25 });
        }

        JsonNode[] lines = [.. File.ReadLines(path).Select(line => JsonNode.Parse(line)!)];
        Assert.All(["cost", "cost_per_trillion_tokens", "kilowatt_hours"], key => Assert.False(lines[0].AsObject().ContainsKey(key)));
        Assert.Equal((0.5, 9.0, 0.25), ((double)lines[1]["cost"]!, (double)lines[1]["cost_per_trillion_tokens"]!, (double)lines[1]["kilowatt_hours"]!));
    }

    [Fact]
    public void Expert_loads_are_summed_over_ten_steps_at_first_and_a_stop_leaves_none_out()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.jsonl");
        int[][] reused = [[0, 0], [0, 0]];
        using (MetricsLog log = Open(path, 0))
        {
            for (int step = 1; step <= 25; step++)
            {
                (reused[0][0], reused[0][1], reused[1][0], reused[1][1]) = (step, 1, 0, 2);
                log.Write(new StepMetrics(step, null, 10 * step, 3, 1e-3, 1, 1, 1, 10, 0.5, 1, reused, 1, null, 1, null, null, false));
            }
        }

        string[] loads = [.. File.ReadLines(path).Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["kind"] == "expert_load").Select(line => $"{line["step"]}, {line["steps"]} steps: {line["load"]!.ToJsonString()}")];
        Assert.Equal(["10, 10 steps: [[55,10],[0,20]]", "20, 10 steps: [[155,10],[0,20]]", "25, 5 steps: [[115,5],[0,10]]"], loads);
    }

    [SkippableFact]
    public void A_full_disk_is_said_once_and_does_not_end_the_run()
    {
        Skip.IfNot(File.Exists("/dev/full"), "/dev/full is a Linux device");
        var warnings = new List<string>();
        using var stream = new FailOpenStream(new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0), warnings.Add);
        for (int i = 0; i < 3; i++)
            stream.Write("{\"kind\":\"step\"}\n"u8);
        Assert.Contains("/dev/full cannot be written", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal(0, stream.Length);
    }

    [Fact]
    public void A_run_whose_metrics_cannot_be_written_trains_to_its_end()
    {
        using var run = new TinyRun(TinyModels.Of(nameof(TinyModels.Ling1)));
        Directory.CreateDirectory(Path.Combine(run.Folder, "metrics.jsonl"));
        File.WriteAllText(Path.Combine(run.Folder, "tensorboard"), "in the way");
        using RecordingObserver observer = run.Train();
        Assert.Equal((RunOutcome.Completed, 20L), (observer.Result!.Outcome, observer.Result.Step));
        Assert.Equal(2, observer.Warnings.Count);
        Assert.All(observer.Warnings, warning => Assert.Contains("training goes on without it", warning, StringComparison.Ordinal));
    }

    private static MetricsLog Open(string path, long resumedStep) => new(path, resumedStep, _ => { }, TimeProvider.System);
}
