namespace Lingotto.Cli;

/// <summary>How far work has come, on the error stream: one line drawn over on a terminal, a line now and then in a log.</summary>
internal sealed class ProgressLine(Terminal terminal, bool isQuiet, TimeProvider? time = null) : IDisposable
{
    private static readonly TimeSpan s_redraw = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_log = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private long? _last;
    private int _width;

    /// <summary>Shows the text if the last one has stood long enough.</summary>
    public void Report(Func<string> text)
    {
        TimeSpan pause = terminal.CanRedrawError ? s_redraw : s_log;
        if (isQuiet || (_last is { } last && _time.GetElapsedTime(last) < pause))
        {
            return;
        }
        _last = _time.GetTimestamp();
        string line = text();
        if (!terminal.CanRedrawError)
        {
            terminal.Error.WriteLine(line);
            return;
        }

        terminal.Error.Write("\r" + line.PadRight(_width));
        _width = line.Length;
    }

    /// <summary>Removes the line.</summary>
    public void Dispose()
    {
        if (_width > 0)
        {
            terminal.Error.Write("\r" + new string(' ', _width) + "\r");
        }
        _width = 0;
    }
}
