using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Lingotto.Reporting;
using Lingotto.Runs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Lingotto.Server;

/// <summary>
/// A run's page over HTTP, up to date by server-sent events: GET / and GET /events, nothing else, on the loopback interface
/// only. Reads the run folder, never writes it.
/// </summary>
public sealed class RunWatch : IAsyncDisposable
{
    private const int MaxConnections = 64;
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(2), s_heartbeat = TimeSpan.FromSeconds(15);

    private readonly WebApplication _application;
    private readonly LiveFeed _feed;
    private readonly CancellationTokenSource _stopping;
    private readonly Task _following;

    private RunWatch(WebApplication application, LiveFeed feed, CancellationTokenSource stopping)
    {
        (_application, _feed, _stopping) = (application, feed, stopping);
        _following = feed.RunAsync(s_pause, TimeProvider.System, stopping.Token);
    }

    /// <summary>Where a browser finds it.</summary>
    public Uri Address => new(_application.Urls.Single());

    /// <summary>Begins to serve.</summary>
    /// <param name="folder">The run folder, which may be training.</param>
    /// <param name="port">0 takes any that is free.</param>
    /// <param name="cancellation">Ends the start, and every stream that is open.</param>
    /// <exception cref="RunException">It is no run folder, or the port is taken.</exception>
    public static async Task<RunWatch> StartAsync(string folder, int port, CancellationToken cancellation)
    {
        var report = RunReport.Open(folder, TimeProvider.System, cancellation);
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => Configure(options, port));
        WebApplication application = builder.Build();
        var feed = new LiveFeed(report, ReadScript(), TimeProvider.System);
        var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        application.Run(context => AnswerAsync(context, feed, stopping.Token));
        try
        {
            await application.StartAsync(cancellation);
            return new RunWatch(application, feed, stopping);
        }
        catch (IOException e)
        {
            feed.Dispose();
            stopping.Dispose();
            await application.DisposeAsync();
            throw new RunException(
                FormattableString.Invariant(
                    $"port {port} of this machine cannot be used ({e.InnerException?.Message ?? e.Message}): choose another with --port, or 0 for any that is free"), e);
        }
    }

    /// <summary>Stops serving.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _following.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using var atOnce = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(atOnce.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _application.DisposeAsync();
        _feed.Dispose();
        _stopping.Dispose();
    }

    private static void Configure(KestrelServerOptions options, int port)
    {
        options.Listen(IPAddress.Loopback, port);
        options.AddServerHeader = false;
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.MaxRequestHeadersTotalSize = 1 << 14;
        options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
    }

    /// <summary>The only two things there are; everything else is absent.</summary>
    private static Task AnswerAsync(HttpContext context, LiveFeed feed, CancellationToken stopping)
    {
        IHeaderDictionary headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
        if (LoopbackGuard.Refusal(context.Request) is { } status)
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        }

        switch (context.Request.Path.Value)
        {
            case "/":
                return PageAsync(context, feed);
            case "/events":
                return EventsAsync(context, feed, stopping);
            default:
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
        }
    }

    private static async Task PageAsync(HttpContext context, LiveFeed feed)
    {
        HtmlPage page = await feed.PageAsync(context.RequestAborted);
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        page.Write(text);
        context.Response.Headers.ContentSecurityPolicy = page.ContentSecurityPolicy + "; frame-ancestors 'none'";
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(text.ToString(), context.RequestAborted);
    }

    /// <summary>Server-sent events (WHATWG HTML, 9.2): a changed section is one event, its id the version to go on from.</summary>
    private static async Task EventsAsync(HttpContext context, LiveFeed feed, CancellationToken stopping)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using IDisposable watcher = feed.Watch();
        string? known = (string?)context.Request.Headers["Last-Event-ID"] ?? (string?)context.Request.Query["since"];
        long since = long.TryParse(known, NumberStyles.None, CultureInfo.InvariantCulture, out long version) ? version : 0;
        context.Response.ContentType = "text/event-stream";
        try
        {
            await context.Response.WriteAsync("retry: 2000\n\n", ended.Token);
            while (true)
            {
                await context.Response.Body.FlushAsync(ended.Token);
                since = await SendAsync(context.Response, feed, since, ended.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The watcher left, or the server stops.
        }
    }

    /// <summary>Sends what is newer, or a comment that keeps the connection alive where nothing is for a while.</summary>
    private static async Task<long> SendAsync(HttpResponse response, LiveFeed feed, long since, CancellationToken ended)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(ended);
        waiting.CancelAfter(s_heartbeat);
        try
        {
            (long version, IReadOnlyList<(string Id, string Html)> sections) = await feed.ChangesAsync(since, waiting.Token);
            foreach ((string id, string html) in sections)
            {
                string data = new JsonObject { ["id"] = id, ["html"] = html }.ToJsonString();
                await response.WriteAsync(FormattableString.Invariant($"event: section\nid: {version}\ndata: {data}\n\n"), ended);
            }

            return version;
        }
        catch (OperationCanceledException) when (!ended.IsCancellationRequested)
        {
            await response.WriteAsync(": alive\n\n", ended);
            return since;
        }
    }

    private static string ReadScript()
    {
        using Stream resource = typeof(RunWatch).Assembly.GetManifestResourceStream("watch.js")!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}
