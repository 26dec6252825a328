using System.Diagnostics;
using System.Net.WebSockets;
using System.Text.Json.Nodes;
using Lingotto.Tests.Formats;
using Xunit;

namespace Lingotto.Tests.Server;

/// <summary>A page in a real browser, driven over the DevTools protocol.</summary>
internal sealed class Chromium : IAsyncDisposable
{
    private const string RequireVariable = "LINGOTTO_REQUIRE_ORACLES";
    private static readonly string[] s_programs = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

    private readonly TemporaryFolder _profile = new();
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(60));
    private readonly ClientWebSocket _socket = new();
    private readonly Process _process;
    private string? _session;
    private int _lastId;
    private Task _draining = Task.CompletedTask;

    private Chromium(Process process) => _process = process;

    /// <summary>What the browser said unasked: requests, console messages.</summary>
    public List<JsonNode> Events { get; } = [];

    /// <summary>Skips the test where there is no browser; fails it where LINGOTTO_REQUIRE_ORACLES=1.</summary>
    public static async Task<Chromium> StartAsync(int width, string colorScheme)
    {
        string? program = Array.Find(s_programs, File.Exists);
        const string Fault = "no browser is installed: install chromium to test pages";
        Assert.False(program is null && Environment.GetEnvironmentVariable(RequireVariable) == "1", Fault);
        Skip.If(program is null, Fault);
        var start = new ProcessStartInfo(program!) { RedirectStandardError = true, UseShellExecute = false };
        foreach (string argument in new[]
        {
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            "--remote-debugging-port=0", "about:blank",
        })
        {
            start.ArgumentList.Add(argument);
        }

        var browser = new Chromium(new Process { StartInfo = start });
        start.ArgumentList.Add("--user-data-dir=" + browser._profile.Path);
        browser._process.Start();
        try
        {
            await browser.PrepareAsync(width, colorScheme);
            return browser;
        }
        catch
        {
            await browser.DisposeAsync();
            throw;
        }
    }

    public async Task OpenAsync(Uri page)
    {
        await SendAsync("Page.navigate", new JsonObject { ["url"] = page.AbsoluteUri });
        while (!Events.Any(e => (string?)e["method"] == "Page.loadEventFired"))
            await ReceiveAsync();
    }

    /// <summary>The value of a script, which may be a promise.</summary>
    public async Task<JsonNode?> EvaluateAsync(string script)
    {
        JsonNode result = await SendAsync("Runtime.evaluate", new JsonObject { ["expression"] = script, ["awaitPromise"] = true, ["returnByValue"] = true });
        Assert.True(result["exceptionDetails"] is null, result.ToJsonString());
        return result["result"]!["value"];
    }

    public async Task PressAsync(string key)
    {
        int code = key == "Tab" ? 9 : 13;
        foreach (string type in new[] { "keyDown", "keyUp" })
        {
            var press = new JsonObject { ["type"] = type, ["key"] = key, ["code"] = key, ["windowsVirtualKeyCode"] = code };
            if (key == "Enter")
                press["text"] = "\r";
            await SendAsync("Input.dispatchKeyEvent", press);
        }
    }

    public async Task<JsonNode> SendAsync(string method, JsonObject? parameters = null)
    {
        int id = ++_lastId;
        var message = new JsonObject { ["id"] = id, ["method"] = method, ["params"] = parameters ?? [] };
        if (_session is not null)
            message["sessionId"] = _session;
        await _socket.SendAsync(System.Text.Encoding.UTF8.GetBytes(message.ToJsonString()), WebSocketMessageType.Text, true, _deadline.Token);
        while (true)
        {
            JsonNode answer = await ReceiveAsync();
            if ((int?)answer["id"] == id)
                return answer["result"] ?? throw new InvalidOperationException($"{method}: {answer.ToJsonString()}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        await _draining;
        _process.Dispose();
        _socket.Dispose();
        _deadline.Dispose();
        _profile.Dispose();
    }

    private async Task PrepareAsync(int width, string colorScheme)
    {
        await ConnectAsync();
        await SendAsync("Emulation.setDeviceMetricsOverride", new JsonObject { ["width"] = width, ["height"] = 844, ["deviceScaleFactor"] = 1, ["mobile"] = width < 600 });
        await SendAsync("Emulation.setEmulatedMedia", new JsonObject
        {
            ["features"] = new JsonArray(new JsonObject { ["name"] = "prefers-color-scheme", ["value"] = colorScheme }),
        });
        foreach (string domain in new[] { "Page", "Network", "Log", "Runtime" })
            await SendAsync(domain + ".enable");
    }

    private async Task ConnectAsync()
    {
        const string Announcement = "DevTools listening on ";
        string? line;
        do
        {
            line = await _process.StandardError.ReadLineAsync(_deadline.Token);
            Assert.True(line is not null, "the browser ended before it listened");
        }
        while (!line.StartsWith(Announcement, StringComparison.Ordinal));
        _draining = _process.StandardError.BaseStream.CopyToAsync(Stream.Null);
        await _socket.ConnectAsync(new Uri(line[Announcement.Length..]), _deadline.Token);
        JsonNode target = await SendAsync("Target.createTarget", new JsonObject { ["url"] = "about:blank" });
        JsonNode attached = await SendAsync("Target.attachToTarget", new JsonObject { ["targetId"] = (string)target["targetId"]!, ["flatten"] = true });
        _session = (string)attached["sessionId"]!;
    }

    private async Task<JsonNode> ReceiveAsync()
    {
        using var message = new MemoryStream();
        var buffer = new byte[1 << 16];
        ValueWebSocketReceiveResult part;
        do
        {
            part = await _socket.ReceiveAsync(buffer.AsMemory(), _deadline.Token);
            message.Write(buffer, 0, part.Count);
        }
        while (!part.EndOfMessage);
        JsonNode parsed = JsonNode.Parse(message.ToArray())!;
        if (parsed["method"] is not null)
            Events.Add(parsed);
        return parsed;
    }
}
