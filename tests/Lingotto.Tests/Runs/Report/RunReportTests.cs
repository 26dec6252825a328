using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Lingotto.Formats;
using Lingotto.Reporting;
using Lingotto.Runs;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Model;
using Lingotto.Tests.Training;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Runs;

public sealed class RunReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_whole_run_becomes_one_page_with_all_its_parts()
    {
        using var run = new TinyRun(TinyModels.Of(nameof(TinyModels.Ling1)));
        run.Train(stopAfter: 10).Dispose();
        run.Train(recipe: run.Recipe with { Hardware = new HardwareConfig { PricePerHour = 2, Currency = "XAU", Watts = 100 } }).Dispose();
        string file = run.File("report.html");
        RunReport.Open(run.Folder).Save(file);
        XElement body = Body(File.ReadAllText(file));
        Assert.Equal(
            ["learning", "experts", "spikes", "speed", "money", "goodput", "samples", "data", "model", "recipe", "machine", "checkpoints"],
            body.Descendants("section").Select(section => (string)section.Attribute("id")!));
        Assert.StartsWith("Completed at step 20", body.Descendants("p").First(p => (string?)p.Attribute("class") == "state").Value.Trim(), StringComparison.Ordinal);
        Assert.Equal(2, Table(body, "Every start of the run").Element("tbody")!.Elements("tr").Count());
        Assert.Contains(" XAU", FactOf(body, "Cost so far"), StringComparison.Ordinal);
        Assert.Contains("train-00000.tokens", Table(body, "Files").Value, StringComparison.Ordinal);
        Assert.Contains("training.num_steps", Table(body, "recipe.json: every value, defaults included").Value, StringComparison.Ordinal);
        Assert.Contains("model.safetensors", Table(body, "Files of the newest checkpoint").Value, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(run.Folder, "tensorboard"), "*tfevents*"));
    }

    [Fact]
    public void Goodput_counts_steps_once_and_standstill_and_repeated_steps_against_the_run()
    {
        RunFolders.WriteKilledAndResumed(_folder.File("run"));
        XElement body = Page(_folder.File("run"));
        // 200 steps of a second in the 3830 seconds from 1000 to 4830; the first session lived until 1110.
        Assert.Contains("Goodput 5.2 %", body.Value, StringComparison.Ordinal);
        Dictionary<string, string> parts = body.Descendants("figure").Single(figure => (string?)figure.Attribute("id") == "wall-time").Descendants("tbody").Single()
            .Elements("tr").ToDictionary(row => row.Element("th")!.Value, row => row.Elements("td").ElementAt(1).Value);
        Assert.Equal(("3 min 20 s", "10 s", "1 h 00 min", "20 s"), (parts["steps that count"], parts["steps done again"], parts["between sessions"], parts["starting, measuring, saving"]));
        string[][] sessions = [.. Table(body, "Every start of the run").Element("tbody")!.Elements("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())];
        Assert.Equal(["1", "1970-01-01 00:16 UTC", "0", "100", "1 min 50 s", "0", "killed, or the machine failed"], sessions[0]);
        Assert.Equal(["2", "1970-01-01 01:18 UTC", "90", "200", "2 min 00 s", "10", "completed"], sessions[1]);
    }

    [Fact]
    public void Experts_money_and_held_out_loss_are_read_off_the_lines()
    {
        RunFolders.WriteKilledAndResumed(_folder.File("run"));
        XElement body = Page(_folder.File("run"));
        XElement[] layers = [.. body.Descendants("figure").Single(figure => (string?)figure.Attribute("id") == "expert-load").Descendants("tbody").First().Elements("tr")];
        Assert.Equal(["2", "5"], layers.Select(row => row.Element("th")!.Value));
        Assert.Equal(["1.000", "1.00", "0"], layers[0].Elements("td").Skip(1).Select(cell => cell.Value));
        Assert.Equal(["0.500", "2.00", "2"], layers[1].Elements("td").Skip(1).Select(cell => cell.Value));
        Assert.Equal("0.20 CHF", FactOf(body, "Cost so far")[..8]);
        Assert.Equal("1,000,000 CHF", FactOf(body, "Cost of 1T tokens at this rate"));
        Assert.Equal("0.0278 kWh", FactOf(body, "Energy so far"));
        Assert.Equal("1.250gzip 2.500", FactOf(body, "Held out, bits per byte"));
        Assert.Contains("<b> & so on", body.Descendants("pre").Single().Value, StringComparison.Ordinal);
        Assert.Contains("Testchip <9000>", body.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_planned_stands_beside_what_happened()
    {
        RunFolders.WriteKilledAndResumed(_folder.File("run"));
        Assert.DoesNotContain(Page(_folder.File("run")).Descendants("section"), section => (string?)section.Attribute("id") == "plan");
        // 200 steps of 1,000 tokens, a second each.
        File.WriteAllText(
            Path.Combine(_folder.File("run"), "plan.json"), """{"source":"here.json","tokens_per_second":1100,"memory_bytes":1572864}""");
        XElement table = Table(Page(_folder.File("run")), "Expected before the run began, from here.json; the speed is the median along the run");
        string[][] rows = [.. table.Element("tbody")!.Elements("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())];
        Assert.Equal(["tokens a second", "1,100", "1,000", "+10.0 %"], rows[0]);
        Assert.Equal(["time of the steps so far", "3 min 02 s", "3 min 20 s", "-9.1 %"], rows[1]);
        Assert.Equal(["memory, at most", "1.5 MiB", "1.0 MiB", "+50.0 %"], rows[2]); // the log's resident bytes, not what the run planned
    }

    [Fact]
    public void A_plan_stays_with_its_run_until_the_run_starts_over()
    {
        using var run = new TinyRun(TinyModels.Of(nameof(TinyModels.Ling1)));
        string file = Path.Combine(run.Folder, "plan.json");
        run.Train(stopAfter: 3, plan: new RunPlan("here.json", 1000, 1e9)).Dispose();
        Assert.Contains("here.json", File.ReadAllText(file), StringComparison.Ordinal);
        run.Train(stopAfter: 6, plan: new RunPlan("later.json", 2000, 2e9)).Dispose(); // what was expected before it began stays
        Assert.Contains("here.json", File.ReadAllText(file), StringComparison.Ordinal);
        run.Train(stopAfter: 3, fresh: true).Dispose();
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void Without_a_price_there_is_no_money()
    {
        using var run = new TinyRun(TinyModels.Of(nameof(TinyModels.Ling1)));
        run.Train(stopAfter: 3).Dispose();
        XElement body = Page(run.Folder);
        Assert.DoesNotContain("Cost", body.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("kWh", body.Value, StringComparison.Ordinal);
        Assert.DoesNotContain(body.Descendants("section"), section => (string?)section.Attribute("id") == "money");
    }

    [Fact]
    public void Spikes_and_skipped_steps_are_found_and_a_calm_curve_has_none()
    {
        Directory.CreateDirectory(_folder.File("run"));
        var text = new StringBuilder();
        for (int step = 1; step <= 400; step++)
            RunFolders.AppendStep(text, step, step, loss: step == 300 ? 9 : null);
        text.AppendLine("""{"kind":"step","step":401,"tokens":401000,"loss":null,"grad_norm":null,"tokens_per_second":1000,"skipped":true}""");
        File.WriteAllText(Path.Combine(_folder.File("run"), "metrics.jsonl"), text.ToString());
        XElement body = Page(_folder.File("run"));
        string[][] spikes = [.. Table(body, "All of them").Element("tbody")!.Elements("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())];
        Assert.Equal(["300", "401"], spikes.Select(row => row[0]));
        Assert.Equal(["done", "skipped"], spikes.Select(row => row[3]));
    }

    [Fact]
    public void What_the_guard_of_the_run_let_through_is_no_spike_and_a_run_without_one_is_judged_by_the_report()
    {
        Assert.Equal([], Spikes("""{"kind":"start","step":0,"guarded":true}""", ""));
        Assert.Equal(["300 done"], Spikes("""{"kind":"start","step":0,"guarded":false}""", ""));
        Assert.Equal(["300 done"], Spikes("""{"kind":"start","step":0}""", "")); // of before the guard
        const string told = "{\"kind\":\"spike\",\"step\":200,\"action\":\"slowed\"}\n";
        Assert.Equal(["200 slowed"], Spikes("""{"kind":"start","step":0,"guarded":true}""", told));
        Assert.Equal(["200 slowed"], Spikes("""{"kind":"start","step":0}""", told)); // of before the word
        Assert.Equal(["200 slowed", "300 done"], Spikes("""{"kind":"start","step":0,"guarded":false}""", told));

        string[] Spikes(string start, string beforeStep200)
        {
            var text = new StringBuilder(start + "\n");
            for (int step = 1; step <= 400; step++)
            {
                text.Append(step == 200 ? beforeStep200 : "");
                RunFolders.AppendStep(text, step, step, loss: step == 300 ? 9 : null);
            }

            string file = _folder.File("metrics.jsonl");
            File.WriteAllText(file, text.ToString());
            var history = new RunHistory(file);
            history.Refresh(default);
            return [.. history.Now.Spikes.Select(spike => $"{spike.Step} {spike.Action}")];
        }
    }

    [Theory]
    [InlineData(6, true)]
    [InlineData(0, false)]
    public void A_run_says_whether_it_is_guarded(double deviations, bool guarded)
    {
        using var run = new TinyRun(TinyModels.Ling2);
        run.Train(stopAfter: 1, recipe: run.Recipe with { Spikes = new SpikeConfig { Deviations = deviations } }).Dispose();
        Assert.Equal(guarded, (bool)run.Metrics[0]["guarded"]!);
    }

    [Fact]
    public void A_run_stopped_after_three_steps_shows_the_load_of_its_experts_and_the_loss_of_the_token_after_next()
    {
        using var run = new TinyRun(TinyModels.Ling2Mtp);
        run.Train(stopAfter: 3).Dispose();
        Assert.Equal("stop", (string?)run.Metrics[^1]["kind"]);
        XElement body = Page(run.Folder);
        Assert.Equal("Load of every expert, steps 1 to 3", Figure(body, "expert-load").Descendants("h3").Single().Value);
        string[] columns = [.. Figure(body, "loss").Descendants("thead").Single().Descendants("th").Select(cell => cell.Value)];
        Assert.Contains("token after next", columns);
        string[] first = Rows(Figure(body, "loss").Descendants("table").Single())[0];
        Assert.Equal(NumberText.Of((double)run.Metrics.First(line => (string?)line["kind"] == "step")["mtp_loss"]!), first[Array.IndexOf(columns, "token after next")]);
    }

    [Fact]
    public void A_window_that_a_stop_cut_short_does_not_hide_the_longer_one_before()
    {
        string file = _folder.File("metrics.jsonl");
        var history = new RunHistory(file);
        Assert.Equal([4, 10, 10, 20], new[] { (4, 4), (10, 10), (13, 3), (20, 10) }.Select(window =>
        {
            File.AppendAllText(file, FormattableString.Invariant($"{{\"kind\":\"expert_load\",\"step\":{window.Item1},\"steps\":{window.Item2},\"load\":[[1,1]]}}\n"));
            history.Refresh(default);
            return (int)history.Now.ExpertLoad!.Step;
        }));
    }

    [Fact]
    public void Data_are_shown_source_by_source_with_the_hashes_of_their_manifest()
    {
        using var run = new TinyRun(TinyModels.Ling2);
        Directory.CreateDirectory(run.File("more"));
        File.Copy(run.File("text/03.txt"), run.File("more/copy.txt"));
        File.WriteAllText(run.File("more/new.txt"), string.Join(' ', Enumerable.Range(100, 60).Select(i => $"The {i} geese leave the lake.")));
        run.Train(stopAfter: 1, recipe: run.Recipe with
        {
            Data = new DataConfig
            {
                Sources = [new DataSource("stories", [run.File("text")]), new DataSource("more", [run.File("more")], Weight: 0.25, Tier: 2)],
                HeldOutFraction = 0.2,
            },
        }).Dispose();
        using TokenDataset data = TokenDataset.Open(Path.Combine(run.Folder, "data"));
        SourceSummary stories = data.Sources[0];
        XElement body = Page(run.Folder);
        string[][] sources = Rows(Table(body, "Sources: 2"));
        Assert.Equal(
            ["stories", "1", "by size", "30", "30", NumberText.Of(stories.TrainTokens + stories.HeldOutTokens), NumberText.Bytes(stories.ReadBytes)], sources[0]);
        Assert.Equal(["more", "2", "0.25", "2", "1"], sources[1][..5]);
        Assert.Contains(Rows(Table(body, "Left out or mended, by reason: 1")), row => row[0] == Reasons.ExactDuplicate && row[1] == "1");
        Assert.Equal(["en", "31"], Rows(Table(body, "Languages: 1"))[0][..2]);
        Assert.Equal(31, Rows(Table(body, "Splits")).Sum(row => int.Parse(row[1], CultureInfo.InvariantCulture)));
        Assert.Equal(
            DurableFolder.Open(data.Folder).Files.Select(file => $"data/{file.Name} xxh128 {file.Hash}"),
            Rows(Table(body, "Files")).Skip(1).Select(row => $"{row[0]} {row[2]}"));
    }

    [Fact]
    public void The_operation_furthest_from_its_roofline_is_named()
    {
        RunFolders.WriteKilledAndResumed(_folder.File("run"));
        var profile = new Profile(10, 20, 100, 10,
        [
            new ProfiledOperation("grouped matmul", 10, 100, 800e9, 1e9), new ProfiledOperation("router", 2, 100, 1e9, 4e9),
            new ProfiledOperation("tiny", 0.001, 1, 1, 1),
        ]);
        File.WriteAllBytes(Path.Combine(_folder.File("run"), Profile.FileName), profile.ToJson());
        string text = Page(_folder.File("run")).Descendants("section").Single(section => (string?)section.Attribute("id") == "profile").Value;
        Assert.Contains("Slowest against its roofline: router, at 20.0 % of what the chip allows. Most time to win: grouped matmul, 2 s of 12 s.", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_running_run_is_followed_and_a_resumed_one_read_again()
    {
        string folder = _folder.File("run"), metrics = Path.Combine(folder, "metrics.jsonl");
        Directory.CreateDirectory(folder);
        var lines = new StringBuilder();
        for (int step = 1; step <= 20; step++)
            RunFolders.AppendStep(lines, step, step);
        File.WriteAllText(metrics, lines.ToString() + "{\"kind\":\"st");
        var history = new RunHistory(metrics);
        Assert.True(history.Refresh(default));
        Assert.Equal(20, history.Now.LastStep!.Value.Step);
        Assert.False(history.Refresh(default));
        File.AppendAllText(metrics, "ep\",\"step\":21,\"tokens\":21000}\n");
        Assert.True(history.Refresh(default));
        Assert.Equal((21, 0L), (history.Now.LastStep!.Value.Step, history.Now.NumDamaged));
        DroppedLines.Cut(metrics, 10);
        var again = new StringBuilder();
        for (int step = 11; step <= 30; step++)
            RunFolders.AppendStep(again, step, 100 + step);
        File.AppendAllText(metrics, again.ToString());
        Assert.True(history.Refresh(default));
        Assert.Equal((30L, 30L), (history.Now.LastStep!.Value.Step, history.Now.Loss.Count));
    }

    [Fact]
    public void A_long_run_makes_a_small_page_in_little_time()
    {
        string folder = _folder.File("run");
        Directory.CreateDirectory(folder);
        var lines = new StringBuilder();
        for (int step = 1; step <= 50_000; step++)
            RunFolders.AppendStep(lines, step, step);
        File.WriteAllText(Path.Combine(folder, "metrics.jsonl"), lines.ToString());
        var clock = Stopwatch.StartNew();
        RunReport.Open(folder).Save(_folder.File("report.html"));
        Assert.InRange(clock.Elapsed.TotalSeconds, 0, 5);
        Assert.InRange(new FileInfo(_folder.File("report.html")).Length, 50_000, 1_000_000);
    }

    [Fact]
    public void Damaged_and_absent_files_leave_a_page_without_them()
    {
        string folder = _folder.File("run");
        RunFolders.WriteKilledAndResumed(folder, recipe: "{ this is no json");
        File.AppendAllText(Path.Combine(folder, "metrics.jsonl"), "garbage\n{\"kind\":7}\n{\"kind\":\"step\",\"step\":\"x\"}\n[1]\n{\"kind\":\"expert_load\",\"step\":201,\"load\":[[]]}\n");
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        File.WriteAllText(Path.Combine(folder, "data", "data.json"), "{\"train\":{\"shards\":[{\"file\":\"../../etc/passwd\"},{\"file\":7}]}}");
        File.WriteAllText(Path.Combine(folder, Profile.FileName), "{\"steps\":1}");
        XElement body = Page(folder);
        Assert.Contains("4 lines of metrics.jsonl could not be read", body.Value, StringComparison.Ordinal);
        Assert.DoesNotContain("passwd", body.Value, StringComparison.Ordinal);
        Assert.Contains("data.json: damaged at line 1", body.Value, StringComparison.Ordinal);
        Assert.Contains("Completed at step 200", body.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_run_is_refused_in_one_line()
    {
        Assert.EndsWith("give a run such as runs/quickstart", Assert.Throws<RunException>(() => RunReport.Open(_folder.File("nowhere"))).Message, StringComparison.Ordinal);
        Assert.Contains("so it is no run", Assert.Throws<RunException>(() => RunReport.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private static XElement Page(string folder)
    {
        using var text = new StringWriter();
        RunReport.Open(folder).ToPage().Write(text);
        return Body(text.ToString());
    }

    private static XElement Body(string page) => XElement.Parse(page[page.IndexOf("<body>", StringComparison.Ordinal)..page.LastIndexOf("</html>", StringComparison.Ordinal)]);

    private static XElement Table(XElement body, string caption) => body.Descendants("table").Single(table => table.Element("caption")?.Value == caption);

    private static XElement Figure(XElement body, string id) => body.Descendants("figure").Single(figure => (string?)figure.Attribute("id") == id);

    private static string[][] Rows(XElement table) => [.. table.Element("tbody")!.Elements("tr").Select(row => row.Elements().Select(cell => cell.Value).ToArray())];

    private static string FactOf(XElement body, string name) => body.Descendants("dt").First(term => term.Value == name).ElementsAfterSelf("dd").First().Value;
}
