using System.Text;
using System.Text.Json.Nodes;
using Lingotto.Reporting;
using Lingotto.Runs;
using Lingotto.Server;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Model;
using Lingotto.Tests.Runs;
using Lingotto.Tests.Training;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Server;

/// <summary>Report and live page as a real browser shows them: on a phone and a desk, light and dark, by keyboard.</summary>
public sealed class PageInBrowserTests : IDisposable
{
    // WCAG 2.2: 1.4.3 contrast of text, 2.5.8 size of targets.
    private const double LeastContrast = 4.5;
    private const double LeastTarget = 24;

    private const string Measure = """
        (() => {
          const rgb = text => (text.match(/[\d.]+/g) ?? []).map(Number);
          const part = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
          const light = c => 0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2]);
          const paper = element => {
            for (let e = element; e; e = e.parentElement) {
              const c = rgb(getComputedStyle(e).backgroundColor);
              if (c.length === 3 || c[3] > 0) return c;
            }
            return [255, 255, 255];
          };
          document.querySelectorAll("details").forEach(d => d.open = true);
          const texts = [...document.body.querySelectorAll("*")].filter(e => !["SCRIPT", "title", "desc"].includes(e.tagName)
            && !e.classList.contains("skip") && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
          const seen = texts.map(e => {
            const style = getComputedStyle(e), ink = rgb(e instanceof SVGElement ? style.fill : style.color);
            const a = light(ink), b = light(paper(e));
            return { ratio: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size: parseFloat(style.fontSize), text: e.textContent.trim().slice(0, 40) };
          });
          const targets = [...document.querySelectorAll("nav a, summary")].map(e => e.getBoundingClientRect().height);
          return {
            overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            worst: seen.reduce((a, b) => a.ratio < b.ratio ? a : b),
            smallest: Math.min(...seen.map(s => s.size)),
            target: Math.min(...targets),
            clipped: [...document.querySelectorAll("svg text")].filter(t => {
              const box = t.getBoundingClientRect();
              return box.width > 0 && (box.left < 0 || box.right > innerWidth);
            }).map(t => t.textContent),
            dark: light(paper(document.body)) < 0.1,
          };
        })()
        """;

    private readonly TemporaryFolder _folder = new();

    private string Run => _folder.File("run");

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [InlineData(390, "light")]
    [InlineData(390, "dark")]
    [InlineData(1280, "light")]
    [InlineData(1280, "dark")]
    public async Task A_report_is_legible_fits_the_screen_and_fetches_nothing(int width, string scheme)
    {
        await using Chromium browser = await Chromium.StartAsync(width, scheme);
        await browser.OpenAsync(WriteReport());
        JsonNode page = (await browser.EvaluateAsync(Measure))!;
        Assert.Equal(scheme == "dark", (bool)page["dark"]!);
        Assert.Equal(0, (double)page["overflow"]!);
        Assert.True((double)page["worst"]!["ratio"]! >= LeastContrast, page["worst"]!.ToJsonString());
        Assert.InRange((double)page["smallest"]!, 11, 16);
        Assert.InRange((double)page["target"]!, LeastTarget, 100);
        Assert.Equal("[]", page["clipped"]!.ToJsonString());
        Assert.Single(browser.Events, e => (string?)e["method"] == "Network.requestWillBeSent");
        Assert.DoesNotContain(browser.Events, e => (string?)e["method"] is "Log.entryAdded" or "Runtime.exceptionThrown");
    }

    [SkippableFact]
    public async Task A_screen_reader_finds_named_pictures_tables_and_landmarks()
    {
        await using Chromium browser = await Chromium.StartAsync(1280, "light");
        await browser.OpenAsync(WriteReport());
        JsonNode[] nodes = [.. (await browser.SendAsync("Accessibility.getFullAXTree"))["nodes"]!.AsArray().Select(node => node!).Where(node => !(bool)node["ignored"]!)];
        ILookup<string, string> names = nodes.ToLookup(node => (string)node["role"]!["value"]!, node => (string?)node["name"]?["value"] ?? "");
        Assert.All(["banner", "navigation", "main", "contentinfo"], landmark => Assert.Single(names[landmark]));
        Assert.True(names["image"].Count() > 8);
        Assert.All(names["image"], name => Assert.NotEqual("", name));
        Assert.Contains("Loss, nats per token", names["image"]);
        Assert.Contains(names["image"], name => name.StartsWith("expert ", StringComparison.Ordinal));
        Assert.Contains("Every start of the run", names["table"]);
        Assert.Contains("Files", names["table"]);
        Assert.True(names["heading"].Count() > 15);
    }

    [SkippableFact]
    public async Task The_keyboard_alone_goes_past_the_navigation_and_opens_a_table()
    {
        await using Chromium browser = await Chromium.StartAsync(390, "light");
        await browser.OpenAsync(WriteReport());
        await browser.PressAsync("Tab");
        Assert.Equal("Skip to the content", (string?)await browser.EvaluateAsync("document.activeElement.textContent"));
        Assert.True((bool)(await browser.EvaluateAsync("document.activeElement.getBoundingClientRect().left >= 0"))!);
        await browser.PressAsync("Enter");
        Assert.Equal("main", (string?)await browser.EvaluateAsync("document.activeElement.id"));
        for (int i = 0; i < 3 && (string?)await browser.EvaluateAsync("document.activeElement.tagName") != "SUMMARY"; i++)
            await browser.PressAsync("Tab");
        Assert.NotEqual("none", (string?)await browser.EvaluateAsync("getComputedStyle(document.activeElement).outlineStyle"));
        await browser.PressAsync("Enter");
        Assert.True((bool)(await browser.EvaluateAsync("document.activeElement.parentElement.open"))!);
        await browser.PressAsync("Tab");
        Assert.Equal("region", (string?)await browser.EvaluateAsync("document.activeElement.getAttribute('role')"));
    }

    [SkippableFact]
    public async Task A_live_page_follows_the_run_and_keeps_what_the_reader_opened()
    {
        WriteRun();
        await using RunWatch watch = await RunWatch.StartAsync(Run, 0, CancellationToken.None);
        await using Chromium browser = await Chromium.StartAsync(390, "dark");
        await browser.OpenAsync(watch.Address);
        await browser.EvaluateAsync("""
            window.stays = true;
            document.getElementById("loss-data").open = true;
            document.querySelector("#loss-data summary").focus();
            window.followed = new Promise(done => new MutationObserver(() => document.body.innerText.includes("5,017 steps") && done(true))
              .observe(document.getElementById("summary"), { childList: true, subtree: true }));
            new Promise(done => { const live = document.getElementById("live");
              live.classList.contains("lost") ? new MutationObserver(() => live.classList.contains("lost") || done(true)).observe(live, { attributes: true }) : done(true); })
            """);
        var line = new StringBuilder();
        RunFolders.AppendStep(line, 5017, 4900);
        await File.AppendAllTextAsync(Path.Combine(Run, "metrics.jsonl"), line.ToString());
        Assert.True((bool)(await browser.EvaluateAsync("window.followed"))!);
        Assert.True((bool)(await browser.EvaluateAsync("window.stays && document.getElementById('loss-data').open"))!);
        Assert.Equal("Values of Loss, nats per token", (string?)await browser.EvaluateAsync("document.activeElement.textContent"));
        Assert.Equal("Live: this page follows the run", (string?)await browser.EvaluateAsync("document.getElementById('live').textContent"));
        Assert.All(
            browser.Events.Where(e => (string?)e["method"] == "Network.requestWillBeSent"),
            e => Assert.StartsWith(watch.Address.AbsoluteUri, (string)e["params"]!["request"]!["url"]!, StringComparison.Ordinal));
        Assert.DoesNotContain(browser.Events, e => (string?)e["method"] == "Runtime.exceptionThrown");
    }

    private Uri WriteReport()
    {
        WriteRun();
        string file = _folder.File("report.html");
        RunReport.Open(Run).Save(file);
        return new Uri(file);
    }

    /// <summary>A run that has every section.</summary>
    private void WriteRun()
    {
        RunFolders.WriteKilledAndResumed(Run);
        File.WriteAllBytes(
            Path.Combine(Run, Profile.FileName),
            new Profile(10, 20, 100, 10, [new ProfiledOperation("grouped matmul, weight gradients", 10, 100, 800e9, 1e9)]).ToJson());
        using var text = new TinyRun(TinyModels.Ling2);
        DataSource[] sources =
        [
            new("the-longest-name-that-a-source-may-have-is-of-sixty-four-letters", [text.File("text")], Weight: 0.25), new("again", [text.File("text")], Tier: 2),
        ];
        DataBuilder.Build(
            new DataMixture(sources), null, Path.Combine(Run, "data"), new DataBuildConfig { HeldOutFraction = 0.2, VocabSize = 300 }).Dispose();
    }
}
