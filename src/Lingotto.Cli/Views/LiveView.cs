using Lingotto.Runs;
using Spectre.Console;

namespace Lingotto.Cli;

/// <summary>A run drawn in place on a terminal, at most five times a second.</summary>
internal sealed class LiveView : IRunObserver
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly LiveFrame _frame;
    private readonly Action<LiveFrame> _draw;
    private readonly TimeProvider _time;
    private readonly List<Action<PlainView>> _epilogue = [];
    private long? _drawn;

    internal LiveView(LiveFrame frame, Action<LiveFrame> draw, TimeProvider? time = null) =>
        (_frame, _draw, _time) = (frame, draw, time ?? TimeProvider.System);

    /// <summary>Runs under a live view; samples and the result are written below it, by <paramref name="plain"/>.</summary>
    public static RunResult Watch(
        TextWriter output, bool isColored, LiveFrame frame, PlainView plain, Func<IRunObserver, RunResult> run)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(output),
            Interactive = InteractionSupport.Yes,
            ColorSystem = isColored ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
        });
        LiveView? view = null;
        try
        {
            return console.Live(frame.Render(console.Profile.Width, console.Profile.Height)).Overflow(VerticalOverflow.Crop).Start(live =>
            {
                view = new LiveView(frame, drawn => live.UpdateTarget(drawn.Render(console.Profile.Width, console.Profile.Height)));
                return run(view);
            });
        }
        finally
        {
            view?._epilogue.ForEach(write => write(plain));
        }
    }

    public void Preparing(string stage, double? progress)
    {
        (_frame.Stage, _frame.StageProgress) = (stage, progress);
        Draw();
    }

    public void Started(RunSummary summary)
    {
        _frame.Summary = summary;
        _epilogue.Add(plain => plain.Remember(summary));
        Draw(now: true);
    }

    public void Stepped(StepMetrics metrics)
    {
        _frame.Add(metrics);
        Draw();
    }

    public void Evaluated(EvaluationMetrics metrics)
    {
        _frame.HeldOut = metrics;
        Draw(now: true);
    }

    public void Saved(long step, string folder, TimeSpan time)
    {
        _frame.LastEvent = RunText.Saved(step, folder, time);
        Draw(now: true);
    }

    public void Sampled(string prompt, string continuation) => _epilogue.Add(plain => plain.Sampled(prompt, continuation));

    public void Warned(string message)
    {
        _frame.Warning = message;
        _epilogue.Add(plain => plain.Warned(message));
        Draw(now: true);
    }

    public void Finished(RunResult result)
    {
        Draw(now: true);
        _epilogue.Add(plain => plain.Finished(result));
    }

    private void Draw(bool now = false)
    {
        if (!now && _drawn is { } drawn && _time.GetElapsedTime(drawn) < s_pause)
        {
            return;
        }
        _drawn = _time.GetTimestamp();
        _draw(_frame);
    }
}
