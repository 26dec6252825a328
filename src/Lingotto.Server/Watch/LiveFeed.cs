using Lingotto.Reporting;
using Lingotto.Runs;

namespace Lingotto.Server;

/// <summary>
/// The sections of a run's page and when each last changed. Watchers ask for what is newer than they have, so nothing queues up for a slow
/// one.
/// </summary>
internal sealed class LiveFeed : IDisposable
{
    private readonly RunReport _report;
    private readonly string _script;
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly Dictionary<string, (string Html, long Version)> _sections = [];
    private TaskCompletionSource _changed = NewSignal();
    private long _version;
    private int _watchers;

    /// <summary>Versions begin at the time, so that a page from before a restart is older than all of them.</summary>
    public LiveFeed(RunReport report, string script, TimeProvider time) =>
        (_report, _script, _version) = (report, script, time.GetUtcNow().ToUnixTimeMilliseconds());

    /// <summary>The whole page of the moment.</summary>
    public async Task<HtmlPage> PageAsync(CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            HtmlPage page = Refresh(cancellation);
            var status = new HtmlWriter();
            status.Write(
                $"""<p id="live" class="lost" role="status" data-since="{_version}">Not live: a static page until the script has connected</p>""");
            return page with { Script = _script, Status = status.ToMarkup() };
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The sections that changed after a version, and the version they make up to. Waits for one.</summary>
    public async Task<(long Version, IReadOnlyList<(string Id, string Html)> Sections)> ChangesAsync(long since,
        CancellationToken cancellation)
    {
        while (true)
        {
            Task changed;
            await _turn.WaitAsync(cancellation);
            try
            {
                if (_version > since)
                {
                    return (_version, [.. _sections.Where(section => section.Value.Version > since)
                        .Select(section => (section.Key, section.Value.Html))]);
                }
                changed = _changed.Task;
            }
            finally
            {
                _turn.Release();
            }

            await changed.WaitAsync(cancellation);
        }
    }

    /// <summary>Counts a watcher until it is disposed of; the run is read again only while there is one.</summary>
    public IDisposable Watch()
    {
        Interlocked.Increment(ref _watchers);
        return new Watcher(this);
    }

    /// <summary>Follows the run until cancelled.</summary>
    public async Task RunAsync(TimeSpan pause, TimeProvider time, CancellationToken cancellation)
    {
        using var timer = new PeriodicTimer(pause, time);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            if (Volatile.Read(ref _watchers) == 0)
            {
                continue;
            }
            await _turn.WaitAsync(cancellation);
            try
            {
                Refresh(cancellation);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                // The run folder is away for a moment, or for good: the page stays as it is.
            }
            finally
            {
                _turn.Release();
            }
        }
    }

    public void Dispose() => _turn.Dispose();

    private HtmlPage Refresh(CancellationToken cancellation)
    {
        _report.Refresh(cancellation);
        HtmlPage page = _report.ToPage();
        (string Id, string Html)[] changed = [.. page.Fragments.Select(fragment => (fragment.Id, fragment.Html.Html))
            .Where(fragment => !_sections.TryGetValue(fragment.Id, out var known) || known.Html != fragment.Html)];
        if (changed.Length == 0)
        {
            return page;
        }
        _version++;
        foreach ((string id, string html) in changed)
        {
            _sections[id] = (html, _version);
        }
        TaskCompletionSource signal = _changed;
        _changed = NewSignal();
        signal.SetResult();
        return page;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class Watcher(LiveFeed feed) : IDisposable
    {
        private int _disposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
            {
                Interlocked.Decrement(ref feed._watchers);
            }
        }
    }
}
