using System.CommandLine;
using Lingotto.Formats;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>lingotto plan simulate: simulates a pipeline or a fleet event by event.</summary>
internal static class PlanSimulateCommand
{
    private const string Examples = """
        Simulate a pipeline or a fleet event by event, to check the formulas of plan. Examples:
          lingotto plan simulate pipeline --stages 8 --micro-batches 16 --chunks 2 --svg pipeline.svg
          lingotto plan simulate fleet --workers 256 --step 11 --straggler-share 0.004 --exchange clock --trace fleet.json
          lingotto plan simulate fleet --workers 64 --step 10 --second-step 25 --exchange clock --svg mixed.svg
        """;

    private const double MaxSteps = 50_000_000;
    private const double MaxNumber = 1e9;

    private static readonly Option<string?> s_svg = new("--svg") { Description = "Draw the timeline.", HelpName = "FILE" };
    private static readonly Option<string?> s_trace = new("--trace") { Description = "Write a trace for Perfetto.", HelpName = "FILE" };

    public static Command Create(CliContext context) => new("simulate", Examples) { Pipeline(context), Fleet(context) };

    private static Command Pipeline(CliContext context)
    {
        Option<int> stages = NumberOption.Whole("--stages", "Stages.", 8, least: 1);
        Option<int> microBatches = NumberOption.Whole("--micro-batches", "Micro-batches of an update.", 16, least: 1);
        Option<int> chunks = NumberOption.Whole(
            "--chunks", "Chunks of layers per stage, above 1 for the interleaved schedule.", 1, least: 1);
        Option<double> forward = NumberOption.Real("--forward", "Seconds of forward of a micro-batch on a stage.", 1);
        Option<double> backward = NumberOption.Real("--backward", "Seconds of backward of a micro-batch on a stage.", 2);
        Option<double> transfer = NumberOption.Real("--transfer", "Seconds of a transfer between stages.", 0);
        var command = new Command("pipeline", "One update of a pipeline.")
        {
            stages, microBatches, chunks, forward, backward, transfer, s_svg, s_trace,
        };
        command.SetAction(parsed =>
        {
            int count = parsed.GetValue(stages), rounds = parsed.GetValue(microBatches), parts = parsed.GetValue(chunks);
            if ((double)count * rounds * parts > MaxSteps / 10)
            {
                throw new UsageException(FormattableString.Invariant(
                    $"--stages, --micro-batches and --chunks make more than {MaxSteps / 10:N0} passes: lower one of them"));
            }

            double ahead = Positive(parsed, forward), back = Positive(parsed, backward);
            IReadOnlyList<TimelineSpan> spans = PipelineSimulation.Run(
                [.. Enumerable.Repeat(ahead, count)], [.. Enumerable.Repeat(back, count)], rounds, parts, NotNegative(parsed, transfer));
            double end = spans.Max(span => span.End), busy = rounds * (ahead + back);
            context.Terminal.Out.WriteLine(
                FormattableString.Invariant($"{end:G6} s, of which {end - busy:G5} s bubble ({100 * (end - busy) / end:F1} %); ")
                + FormattableString.Invariant($"formula: {busy + (count - 1) * (ahead + back) / parts:G6} s without transfers"));
            Write(parsed, FormattableString.Invariant($"{count} stages, {rounds} micro-batches, {parts} chunks"), "stage", spans);
        });
        return command;
    }

    private static Command Fleet(CliContext context)
    {
        var options = new FleetOptions();
        var command = new Command("fleet", "Replicas of a model with slow steps, failures and exchanges.");
        foreach (Option option in (Option[])[.. options.All, s_svg, s_trace])
        {
            command.Add(option);
        }

        command.SetAction(parsed =>
        {
            FleetScenario scenario = options.Scenario(parsed);
            FleetOutcome outcome = FleetSimulation.Run(scenario, context.Cancellation);
            string formula = FleetSimulation.Formula(scenario) is { } expected
                ? FormattableString.Invariant($" (formula: {expected:G4} without failures)") : "";
            context.Terminal.Out.WriteLine(
                FormattableString.Invariant($"{outcome.StepsPerSecond:G4} steps/s per worker{formula}, ")
                + FormattableString.Invariant($"goodput {100 * outcome.Goodput:F1} %, ")
                + FormattableString.Invariant($"{outcome.Failures} failures, {outcome.Exchanges} exchanges"));
            int workers = scenario.StepSeconds.Count;
            Write(parsed, FormattableString.Invariant($"{workers} workers, the first 32 drawn"), "worker", outcome.Spans);
        });
        return command;
    }

    private static double Positive(ParseResult parsed, Option<double> option) =>
        parsed.GetValue(option) is > 0 and < MaxNumber and var value
        ? value : throw new UsageException(FormattableString.Invariant($"{option.Name} must be above 0 and below {MaxNumber:N0}"));

    private static double NotNegative(ParseResult parsed, Option<double> option) =>
        parsed.GetValue(option) is >= 0 and < MaxNumber and var value
        ? value : throw new UsageException(FormattableString.Invariant($"{option.Name} must be 0 or more and below {MaxNumber:N0}"));

    private static void Write(ParseResult parsed, string title, string lane, IReadOnlyList<TimelineSpan> spans)
    {
        if (parsed.GetValue(s_svg) is { } picture)
        {
            DurableFile.WriteAllText(picture, TimelineFile.Svg(title, lane, spans));
        }

        if (parsed.GetValue(s_trace) is not { } file)
        {
            return;
        }

        using var bytes = new MemoryStream();
        TimelineFile.WriteTrace(bytes, lane, spans);
        DurableFile.WriteAllBytes(file, bytes.ToArray());
    }

    /// <summary>The options of lingotto plan simulate fleet.</summary>
    private sealed class FleetOptions
    {
        private readonly Option<int> _workers = NumberOption.Whole("--workers", "Replicas.", 64, least: 1);

        private readonly Option<double> _step = NumberOption.Real("--step", "Seconds of a step.", 10);

        private readonly Option<double> _secondStep = NumberOption.Real(
            "--second-step", "Seconds of a step of every second worker; 0 for the same.", 0);

        private readonly Option<double> _stragglerShare = NumberOption.Real("--straggler-share", "Share of steps that are slow.", 0);

        private readonly Option<double> _stragglerSlowdown = NumberOption.Real(
            "--straggler-slowdown", "Extra time of a slow step: 0.66 for two thirds.", 0.66);

        private readonly Option<double> _failures = NumberOption.Real("--failures", "Failures per worker and hour.", 0);

        private readonly Option<double> _save = NumberOption.Real("--save", "Seconds of a save.", 60);

        private readonly Option<double> _restart = NumberOption.Real("--restart", "Seconds from a failure to the next step.", 900);

        private readonly Option<string> _exchange = new("--exchange")
        {
            Description = "When workers exchange: every step, after 128 steps, or every 10 minutes.",
            HelpName = "step|steps|clock",
            DefaultValueFactory = _ => "step",
        };

        private readonly Option<double> _hours = NumberOption.Real("--hours", "Wall time to simulate, hours.", 2);

        public FleetOptions() => _exchange.AcceptOnly("step", "steps", "clock");

        public IReadOnlyList<Option> All =>
            [_workers, _step, _secondStep, _stragglerShare, _stragglerSlowdown, _failures, _save, _restart, _exchange, _hours];

        /// <summary>Returns the scenario of the options.</summary>
        public FleetScenario Scenario(ParseResult parsed)
        {
            int count = parsed.GetValue(_workers);
            double first = Positive(parsed, _step), second = NotNegative(parsed, _secondStep) is > 0 and var seconds ? seconds : first;
            double wall = 3600 * Positive(parsed, _hours);
            if (count * wall / Math.Min(first, second) > MaxSteps)
            {
                throw new UsageException(FormattableString.Invariant(
                    $"--workers and --hours make more than {MaxSteps:N0} steps: lower one of them"));
            }

            double rate = NotNegative(parsed, _failures), share = NotNegative(parsed, _stragglerShare);
            if (share > 1)
            {
                throw new UsageException("--straggler-share must be a share, 0 to 1");
            }

            return new FleetScenario
            {
                StepSeconds = [.. Enumerable.Range(0, count).Select(worker => worker % 2 == 0 ? first : second)],
                Stragglers = new Stragglers(NotNegative(parsed, _stragglerSlowdown), share),
                FailuresPerHour = rate,
                SaveSeconds = Positive(parsed, _save),
                RestartSeconds = Positive(parsed, _restart),
                SaveIntervalSeconds = rate > 0
                    ? Goodput.BestInterval(parsed.GetValue(_save), 3600 / (rate * count)) : double.PositiveInfinity,
                Exchange = parsed.GetRequiredValue(_exchange) switch
                {
                    "step" => ExchangeRule.EveryStep,
                    "steps" => ExchangeRule.AfterSteps,
                    _ => ExchangeRule.TimeBased,
                },
                ExchangeSteps = 128,
                WallSeconds = wall,
                Seed = parsed.GetValue(GlobalOptions.Seed) ?? 1,
            };
        }
    }
}
