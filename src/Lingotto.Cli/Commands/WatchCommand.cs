using System.CommandLine;
using Lingotto.Server;

namespace Lingotto.Cli;

/// <summary>lingotto watch: a run's page that stays up to date, on this machine only.</summary>
internal static class WatchCommand
{
    private const int DefaultPort = 8650;

    public static Command Create(CliContext context)
    {
        var run = new Argument<string>("RUN") { Description = "A run folder, which may be training: runs/quickstart." };
        Option<int> port = NumberOption.Whole("--port", "Port on 127.0.0.1; 0 takes any that is free.", DefaultPort, least: 0);
        var command = new Command(
            "watch",
            "Serve a run's page to browsers of this machine, up to date while it trains. Example: lingotto watch runs/quickstart --port 0")
        {
            run, port,
        };
        command.SetAction(async (parsed, _) =>
        {
            if (parsed.GetValue(port) > ushort.MaxValue)
            {
                throw new UsageException($"--port cannot be '{parsed.GetValue(port)}': give a number from 0 to {ushort.MaxValue}");
            }
            string folder = parsed.GetRequiredValue(run);
            await using RunWatch watch = await RunWatch.StartAsync(folder, parsed.GetValue(port), context.Cancellation);
            context.Terminal.Out.WriteLine($"{folder} at {watch.Address} until Ctrl-C");
            await Task.Delay(Timeout.Infinite, context.Cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        return command;
    }
}
