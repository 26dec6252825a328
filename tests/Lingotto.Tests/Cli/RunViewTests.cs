using System.Text.Json.Nodes;
using Lingotto.Cli;
using Lingotto.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;
using Xunit;

namespace Lingotto.Tests.Cli;

public class RunViewTests
{
    private static readonly RunSummary s_summary = new(
        "runs/x", new Machine("chip", "system", "runtime", 2, 1L << 34), "CPU", 13_200_000, 4_100_000, 3_100_000, 31_000, 2048, 1e7, 235, 1L << 30, 0, 2.1, 16, [1, 2],
        new HardwareConfig { PricePerHour = 0.1, Currency = "EUR" }, true);

    private static readonly EvaluationMetrics s_heldOut = new(200, 3.301, 1.512, 31_000, true);

    [Fact]
    public void A_step_is_one_line_of_figures()
    {
        using var output = new StringWriter();
        var view = new PlainView(output, isQuiet: false);
        view.Remember(s_summary);
        view.Stepped(Step(120));
        Assert.Equal(
            "step 120/900  loss 3.214  lr 2.0e-03  gnorm 0.81  5,420 tok/s  41% of peak  load 1.32  1.1 GiB  0.01 EUR (3900 EUR per 1T tokens)  0.001 kWh  3m12s left" + Environment.NewLine,
            output.ToString());
    }

    [Fact]
    public void Fast_steps_are_shown_once_a_second_and_the_last_one_always()
    {
        using var output = new StringWriter();
        var view = new PlainView(output, isQuiet: false);
        for (int step = 1; step <= 900; step++)
            view.Stepped(Step(step) with { ElapsedSeconds = step / 100.0 });
        string[] lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(10, lines.Length);
        Assert.StartsWith("step 900/900", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_skipped_step_is_never_silent()
    {
        using var output = new StringWriter();
        var view = new PlainView(output, isQuiet: false);
        view.Stepped(Step(1));
        view.Stepped(Step(2) with { Skipped = true, GradNorm = double.NaN });
        Assert.Contains("SKIPPED", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_price_and_a_power_nothing_is_said_of_money_and_energy()
    {
        using var output = new StringWriter();
        var view = new PlainView(output, isQuiet: false);
        view.Remember(s_summary with { Hardware = new HardwareConfig() });
        view.Stepped(Step(120) with { Cost = null, KilowattHours = null, CostPerTrillionTokens = null });
        view.Finished(new RunResult(900, RunOutcome.Completed, "c", s_heldOut, 302, null, null));
        Assert.DoesNotContain("EUR", output.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("kWh", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_quiet_run_prints_its_result_only()
    {
        using var output = new StringWriter();
        Script(new PlainView(output, isQuiet: true));
        Assert.Equal(
            "warning: the disk is full" + Environment.NewLine + "completed at step 900 after 5m02s  held out loss 3.301  1.512 bits/byte (gzip 2.100)  0.01 EUR  0.005 kWh" + Environment.NewLine, output.ToString());
    }

    [Fact]
    public void Every_line_for_programs_is_json_with_its_kind()
    {
        using var output = new StringWriter();
        var view = new JsonView(output);
        Script(view);
        view.Stepped(Step(1) with { Loss = double.NaN });
        JsonNode[] lines = [.. output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        Assert.Equal(
            ["preparing", "started", "step", "held_out", "saved", "warning", "sample", "finished", "step"], lines.Select(line => line["kind"]!.GetValue<string>()));
        Assert.Equal(3.214, lines[2]["loss"]!.GetValue<double>());
        Assert.Equal("[[1,2,3],[0,0,6]]", lines[2]["expert_load"]!.ToJsonString());
        Assert.Equal("Completed", lines[7]["outcome"]!.GetValue<string>());
        Assert.Null(lines[^1]["loss"]);
    }

    [Theory]
    [InlineData(200, 60)]
    [InlineData(80, 24)]
    [InlineData(20, 5)]
    [InlineData(1, 1)]
    public void A_live_picture_fits_any_terminal(int width, int height)
    {
        var frame = new LiveFrame("x", CancellationToken.None);
        var sizes = new List<int>();
        var view = new LiveView(frame, drawn => sizes.Add(Render(drawn.Render(width, height), width).Split('\n').Max(line => line.TrimEnd('\r').Length)));
        Script(view);
        Assert.NotEmpty(sizes);
        Assert.All(sizes, size => Assert.InRange(size, 0, width));
    }

    [Fact]
    public void A_live_picture_shows_position_loss_held_out_and_the_load_of_experts()
    {
        var frame = new LiveFrame("quickstart", CancellationToken.None);
        Script(new LiveView(frame, _ => { }));
        string text = Render(frame.Render(100, 40), 100);
        Assert.All(
            ["quickstart", "13.2M parameters, 4.1M active", "step 120/900", "13%", "loss 3.214", "3m12s left", "1.512 bits/byte (gzip 2.100)", "layer 1 ", "layer 2 ", "1.50", "3.00"],
            part => Assert.Contains(part, text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_request_to_stop_shows_in_the_live_picture()
    {
        using var source = new CancellationTokenSource();
        var frame = new LiveFrame("x", source.Token);
        Assert.DoesNotContain("stopping", Render(frame.Render(80, 24), 80), StringComparison.Ordinal);
        source.Cancel();
        Assert.Contains("stopping: the run is saved first", Render(frame.Render(80, 24), 80), StringComparison.Ordinal);
    }

    [Fact]
    public void A_live_run_ends_with_samples_and_result_as_plain_lines()
    {
        using var output = new StringWriter();
        var result = new RunResult(900, RunOutcome.Completed, "c", s_heldOut, 302, 0.01, 0.005);
        RunResult returned = LiveView.Watch(output, isColored: false, new LiveFrame("x", CancellationToken.None), new PlainView(output, isQuiet: false), view =>
        {
            Script(view);
            return result;
        });
        Assert.Same(result, returned);
        Assert.Contains("> List", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("completed at step 900 after 5m02s", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_coloured_when_colour_is_off()
    {
        using var output = new StringWriter();
        LiveView.Watch(output, isColored: false, new LiveFrame("x", CancellationToken.None), new PlainView(output, isQuiet: false), view =>
        {
            Script(view);
            return new RunResult(1, RunOutcome.Completed, "c", null, 1, 0, 0);
        });
        Assert.DoesNotMatch(@"\u001b\[[0-9;]+m", output.ToString());
    }

    [Fact]
    public void A_view_that_fails_is_replaced_and_the_run_goes_on()
    {
        using StringWriter output = new(), warnings = new();
        var view = new GuardedView(new LiveView(new LiveFrame("x", CancellationToken.None), _ => throw new InvalidOperationException("no room")), new PlainView(output, isQuiet: false), warnings);
        Script(view);
        Assert.Single(warnings.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains("completed at step 900", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_loss_history_keeps_its_shape_in_bounded_memory()
    {
        var history = new LossHistory();
        for (int i = 0; i < 100_000; i++)
            history.Add(100_000 - i);
        Assert.InRange(history.Points.Count, 1024, 2047);
        Assert.Equal(history.Points.OrderDescending(), history.Points);
    }

    [Fact]
    public void A_falling_curve_starts_at_the_top_left_and_ends_at_the_bottom_right()
    {
        string[] rows = BrailleChart.Draw([3, 2, 1], width: 6, height: 2);
        Assert.NotEqual('\u2800', rows[0][0]);
        Assert.NotEqual('\u2800', rows[1][5]);
        Assert.Equal('\u2800', rows[1][0]);
        Assert.Equal('\u2800', rows[0][5]);
    }

    [Fact]
    public void Bars_show_idle_even_and_busy_experts()
    {
        Assert.Equal(" \u2584\u2588", LoadBars.Draw([0, 10, 20], 10));
        Assert.Equal(2, LoadBars.Draw([0, 10, 20, 10], 2).Length);
        Assert.Equal("", LoadBars.Draw([1, 2], -3));
    }

    private static StepMetrics Step(long step) => new(
        step, 900, step * 2048, 3.214, 2e-3, 0.81, 1.1, 0.2, 5420, 0.41, 1.32, [[1, 2, 3], [0, 0, 6]], 60, 192, (long)(1.1 * (1 << 30)), 0.01, 0.001, false, 3900);

    private static void Script(IRunObserver view)
    {
        view.Preparing("training the tokenizer: 19 MB read", 0.25);
        view.Started(s_summary);
        view.Stepped(Step(120));
        view.Evaluated(s_heldOut);
        view.Saved(200, "runs/x/checkpoints/step-200", TimeSpan.FromSeconds(0.3));
        view.Warned("the disk is full");
        view.Sampled("List", " of things");
        view.Finished(new RunResult(900, RunOutcome.Completed, "c", s_heldOut, 302, 0.01, 0.005));
    }

    private static string Render(IRenderable picture, int width)
    {
        using var output = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(output),
        });
        console.Profile.Width = width;
        console.Write(picture);
        return output.ToString();
    }
}
