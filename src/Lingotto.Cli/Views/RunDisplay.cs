using System.CommandLine;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>Chooses how a run is shown: JSON for programs, drawn live for a person at a terminal, plain lines otherwise.</summary>
internal static class RunDisplay
{
    /// <summary>Runs, watched.</summary>
    public static RunResult Watch(CliContext context, ParseResult parsed, string name, Func<IRunObserver, RunResult> run)
    {
        Terminal terminal = context.Terminal;
        bool isQuiet = parsed.GetValue(GlobalOptions.Quiet);
        var plain = new PlainView(terminal.Out, isQuiet);
        if (parsed.GetValue(GlobalOptions.Json))
        {
            return Guarded(new JsonView(terminal.Out));
        }
        if (isQuiet || !terminal.CanRedraw)
        {
            return Guarded(plain);
        }
        return LiveView.Watch(
            terminal.Out, GlobalOptions.UsesColor(parsed), new LiveFrame(name, context.Cancellation), plain,
            view => run(new GuardedView(view, plain, terminal.Error)));

        RunResult Guarded(IRunObserver view)
        {
            using CancellationTokenRegistration notice = context.Cancellation.Register(
                () => terminal.Error.WriteLine("stopping: the run is saved first; a second signal does not wait"));
            return run(new GuardedView(view, null, terminal.Error));
        }
    }
}
