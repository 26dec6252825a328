using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Lingotto.Runs;
using Lingotto.Server;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Runs;
using Xunit;

namespace Lingotto.Tests.Server;

public sealed class RunWatchTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _deadline = new(TimeSpan.FromSeconds(30));
    private readonly HttpClient _client = new();
    private RunWatch? _watch;

    private string Run => _folder.File("run");

    public async Task InitializeAsync()
    {
        RunFolders.WriteKilledAndResumed(Run);
        _watch = await RunWatch.StartAsync(Run, 0, _deadline.Token);
        _client.BaseAddress = _watch.Address;
    }

    public async Task DisposeAsync() => await _watch!.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _deadline.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task The_page_is_the_report_with_a_policy_and_no_store()
    {
        using HttpResponseMessage response = await _client.GetAsync("/", _deadline.Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        string policy = string.Join("; ", response.Headers.GetValues("Content-Security-Policy"));
        Assert.StartsWith("default-src 'none'; style-src 'sha256-", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Contains("Completed", await response.Content.ReadAsStringAsync(_deadline.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_step_arrives_as_events_of_the_sections_that_changed()
    {
        string page = await _client.GetStringAsync(new Uri("/", UriKind.Relative), _deadline.Token);
        string since = page.Split("data-since=\"")[1].Split('"')[0];
        using Stream stream = await _client.GetStreamAsync(new Uri($"/events?since={since}", UriKind.Relative), _deadline.Token);
        using var reader = new StreamReader(stream);
        Assert.Equal("retry: 2000", await reader.ReadLineAsync(_deadline.Token));
        var line = new StringBuilder();
        RunFolders.AppendStep(line, 201, 4840);
        await File.AppendAllTextAsync(Path.Combine(Run, "metrics.jsonl"), line.ToString(), _deadline.Token);
        var seen = new Dictionary<string, string>();
        while (!seen.ContainsKey("learning") || !seen.ContainsKey("summary"))
        {
            string? text = await reader.ReadLineAsync(_deadline.Token);
            Assert.NotNull(text);
            if (text.StartsWith("data: ", StringComparison.Ordinal))
                seen.Add((string)JsonNode.Parse(text[6..])!["id"]!, (string)JsonNode.Parse(text[6..])!["html"]!);
        }

        Assert.Contains("201", seen["summary"], StringComparison.Ordinal);
        Assert.DoesNotContain("samples", seen.Keys);
    }

    [Fact]
    public async Task A_page_from_before_a_restart_gets_everything()
    {
        using Stream stream = await _client.GetStreamAsync(new Uri("/events?since=0", UriKind.Relative), _deadline.Token);
        using var reader = new StreamReader(stream);
        var ids = new List<string>();
        while (!ids.Contains("samples"))
        {
            string? text = await reader.ReadLineAsync(_deadline.Token);
            if (text!.StartsWith("data: ", StringComparison.Ordinal))
                ids.Add((string)JsonNode.Parse(text[6..])!["id"]!);
        }

        Assert.Contains("summary", ids);
    }

    [Theory]
    [InlineData("GET", "/recipe.json", null, null, HttpStatusCode.NotFound)]
    [InlineData("GET", "/../run/metrics.jsonl", null, null, HttpStatusCode.NotFound)]
    [InlineData("GET", "/%2e%2e/metrics.jsonl", null, null, HttpStatusCode.NotFound)]
    [InlineData("POST", "/", null, null, HttpStatusCode.MethodNotAllowed)]
    [InlineData("DELETE", "/events", null, null, HttpStatusCode.MethodNotAllowed)]
    [InlineData("GET", "/", "evil.example", null, HttpStatusCode.Forbidden)]
    [InlineData("GET", "/events", "evil.example:80", null, HttpStatusCode.Forbidden)]
    [InlineData("GET", "/", "127.0.0.1.evil.example", null, HttpStatusCode.Forbidden)]
    [InlineData("GET", "/", "192.168.0.1", null, HttpStatusCode.Forbidden)]
    [InlineData("GET", "/events", null, "https://evil.example", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/events", null, "null", HttpStatusCode.Forbidden)]
    [InlineData("GET", "/", "localhost", null, HttpStatusCode.OK)]
    [InlineData("GET", "/", "[::1]:8650", null, HttpStatusCode.OK)]
    public async Task Only_the_page_and_its_events_are_served_and_only_to_this_machine(
        string method, string path, string? host, string? origin, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(path, UriKind.Relative));
        request.Headers.Host = host;
        if (origin is not null)
            request.Headers.Add("Origin", origin);
        using HttpResponseMessage response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _deadline.Token);
        Assert.Equal(expected, response.StatusCode);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.StartsWith("default-src 'none'", string.Join("; ", response.Headers.GetValues("Content-Security-Policy")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_and_a_folder_that_is_no_run_are_refused_in_one_line()
    {
        RunException taken = await Assert.ThrowsAsync<RunException>(() => RunWatch.StartAsync(Run, _watch!.Address.Port, _deadline.Token));
        Assert.Contains("choose another with --port", taken.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<RunException>(() => RunWatch.StartAsync(_folder.File("nowhere"), 0, _deadline.Token));
    }

    [Fact]
    public void It_listens_on_the_loopback_interface() => Assert.True(_watch!.Address.IsLoopback);
}
