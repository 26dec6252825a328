using System.CommandLine;
using Lingotto.Formats;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>lingotto plan simulate: a pipeline or a fleet played event by event.</summary>
internal static class PlanSimulateCommand
{
    private const string Examples = """
        Play a pipeline or a fleet event by event, to see what the formulas of plan stand for. Examples:
          lingotto plan simulate pipeline --stages 8 --micro-batches 16 --chunks 2 --svg pipeline.svg
          lingotto plan simulate fleet --workers 256 --step 11 --straggler-share 0.004 --straggler-slowdown 0.66 --exchange clock --trace fleet.json
          lingotto plan simulate fleet --workers 64 --step 10 --second-step 25 --exchange clock --svg mixed.svg
        """;

    private const double MostSteps = 50_000_000;

    private static readonly Option<string?> s_svg = new("--svg") { Description = "Draw the timeline.", HelpName = "FILE" };
    private static readonly Option<string?> s_trace = new("--trace") { Description = "Write a trace for Perfetto.", HelpName = "FILE" };

    public static Command Create(CliContext context) => new("simulate", Examples) { Pipeline(context), Fleet(context) };

    private static Command Pipeline(CliContext context)
    {
        Option<int> stages = NumberOption.Whole("--stages", "Stages.", 8, least: 1);
        Option<int> microBatches = NumberOption.Whole("--micro-batches", "Micro-batches of an update.", 16, least: 1);
        Option<int> chunks = NumberOption.Whole("--chunks", "Chunks of layers on a stage, above 1 for the interleaved schedule.", 1, least: 1);
        Option<double> forward = NumberOption.Real("--forward", "Seconds of a micro-batch's forward on a stage.", 1);
        Option<double> backward = NumberOption.Real("--backward", "Seconds of a micro-batch's backward on a stage.", 2);
        Option<double> transfer = NumberOption.Real("--transfer", "Seconds between stages.", 0);
        var command = new Command("pipeline", "One update of a pipeline.") { stages, microBatches, chunks, forward, backward, transfer, s_svg, s_trace };
        command.SetAction(parsed =>
        {
            int count = parsed.GetValue(stages), rounds = parsed.GetValue(microBatches), parts = parsed.GetValue(chunks);
            if ((double)count * rounds * parts > MostSteps / 10)
                throw new UsageException(FormattableString.Invariant($"--stages, --micro-batches and --chunks come to more than {MostSteps / 10:N0} passes: give fewer of any"));
            double ahead = Positive(parsed, forward), back = Positive(parsed, backward);
            IReadOnlyList<TimelineSpan> spans = PipelineSimulation.Run(
                [.. Enumerable.Repeat(ahead, count)], [.. Enumerable.Repeat(back, count)], rounds, parts, NotNegative(parsed, transfer));
            double end = spans.Max(span => span.End), busy = rounds * (ahead + back);
            context.Terminal.Out.WriteLine(FormattableString.Invariant(
                $"{end:G6} s, of which {end - busy:G5} s bubble ({100 * (end - busy) / end:F1} %); the formula says {busy + (count - 1) * (ahead + back) / parts:G6} s without transfers"));
            Write(parsed, FormattableString.Invariant($"{count} stages, {rounds} micro-batches, {parts} chunks"), "stage", spans);
        });
        return command;
    }

    private static Command Fleet(CliContext context)
    {
        Option<int> workers = NumberOption.Whole("--workers", "Replicas.", 64, least: 1);
        Option<double> step = NumberOption.Real("--step", "Seconds of a step.", 10);
        Option<double> second = NumberOption.Real("--second-step", "Seconds of a step of every other worker; 0 for the same.", 0);
        Option<double> stragglerShare = NumberOption.Real("--straggler-share", "Share of steps that are slow.", 0);
        Option<double> stragglerSlowdown = NumberOption.Real("--straggler-slowdown", "How much longer a slow step takes: 0.66 for two thirds.", 0.66);
        Option<double> failures = NumberOption.Real("--failures", "Failures of a worker per hour.", 0);
        Option<double> save = NumberOption.Real("--save", "Seconds of a save.", 60);
        Option<double> restart = NumberOption.Real("--restart", "Seconds from a failure to the next step.", 900);
        var exchange = new Option<string>("--exchange") { Description = "When workers exchange.", HelpName = "step|steps|clock", DefaultValueFactory = _ => "step" };
        exchange.AcceptOnly("step", "steps", "clock");
        Option<double> hours = NumberOption.Real("--hours", "Wall time to play.", 2);
        var command = new Command("fleet", "Replicas of a model: stragglers, failures, exchanges.")
        {
            workers, step, second, stragglerShare, stragglerSlowdown, failures, save, restart, exchange, hours, s_svg, s_trace,
        };
        command.SetAction(parsed =>
        {
            int count = parsed.GetValue(workers);
            double first = Positive(parsed, step), other = NotNegative(parsed, second) is > 0 and var seconds ? seconds : first, wall = 3600 * Positive(parsed, hours);
            if (count * wall / Math.Min(first, other) > MostSteps)
                throw new UsageException(FormattableString.Invariant($"--workers and --hours come to more than {MostSteps:N0} steps: give fewer of either"));
            double rate = NotNegative(parsed, failures), share = NotNegative(parsed, stragglerShare);
            if (share > 1)
                throw new UsageException("--straggler-share must be a share, 0 to 1");
            var scenario = new FleetScenario
            {
                StepSeconds = [.. Enumerable.Range(0, count).Select(worker => worker % 2 == 0 ? first : other)],
                Stragglers = new Stragglers(NotNegative(parsed, stragglerSlowdown), share),
                FailuresPerHour = rate,
                SaveSeconds = Positive(parsed, save),
                RestartSeconds = Positive(parsed, restart),
                SaveIntervalSeconds = rate > 0 ? Goodput.BestInterval(parsed.GetValue(save), 3600 / (rate * count)) : double.PositiveInfinity,
                Exchange = parsed.GetRequiredValue(exchange) switch
                {
                    "step" => ExchangeRule.EveryStep,
                    "steps" => ExchangeRule.AfterSteps,
                    _ => ExchangeRule.ByClock,
                },
                ExchangeSteps = 128,
                WallSeconds = wall,
                Seed = parsed.GetValue(GlobalOptions.Seed) ?? 1,
            };
            FleetOutcome outcome = FleetSimulation.Run(scenario, context.Cancellation);
            string formula = FleetSimulation.Formula(scenario) is { } expected ? FormattableString.Invariant($" (the formula says {expected:G4} without failures)") : "";
            context.Terminal.Out.WriteLine(FormattableString.Invariant(
                $"{outcome.StepsPerSecond:G4} steps/s a worker{formula}, {100 * outcome.UsefulShare:F1} % of the time in steps that count, {outcome.Failures} failures, {outcome.Exchanges} exchanges"));
            Write(parsed, FormattableString.Invariant($"{count} workers, the first 32 drawn"), "worker", outcome.Spans);
        });
        return command;
    }

    private static double Positive(ParseResult parsed, Option<double> option) => parsed.GetValue(option) is > 0 and < 1e9 and var value
        ? value : throw new UsageException($"{option.Name} must be above 0");

    private static double NotNegative(ParseResult parsed, Option<double> option) => parsed.GetValue(option) is >= 0 and < 1e9 and var value
        ? value : throw new UsageException($"{option.Name} must be 0 or more");

    private static void Write(ParseResult parsed, string title, string lane, IReadOnlyList<TimelineSpan> spans)
    {
        if (parsed.GetValue(s_svg) is { } picture)
            DurableFile.WriteAllText(picture, TimelineFile.Svg(title, lane, spans));
        if (parsed.GetValue(s_trace) is not { } file)
            return;
        using var bytes = new MemoryStream();
        TimelineFile.WriteTrace(bytes, lane, spans);
        DurableFile.WriteAllBytes(file, bytes.ToArray());
    }
}
