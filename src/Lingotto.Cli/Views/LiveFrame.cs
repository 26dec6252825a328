using Lingotto.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Lingotto.Cli;

/// <summary>One picture of a run: what is known, laid out for the terminal's size as it is now.</summary>
internal sealed class LiveFrame(string name, CancellationToken cancellation)
{
    private const int ChartHeight = 5;
    private const int LabelWidth = 8;

    // Lines besides the rows of experts.
    private const int FixedLines = ChartHeight + 12;

    private static readonly Style s_dim = new(Color.Grey);
    private static readonly Style s_loss = new(Color.Green);
    private static readonly Style s_bar = new(Color.Blue);
    private static readonly Style s_experts = new(Color.Yellow);
    private static readonly Style s_alert = new(Color.Red);

    private readonly LossHistory _losses = new();
    private int[][] _expertLoad = [];
    private StepMetrics? _last;

    public string Stage { get; set; } = "starting";

    public double? StageProgress { get; set; }

    public RunSummary? Summary { get; set; }

    public EvaluationMetrics? HeldOut { get; set; }

    public string? LastEvent { get; set; }

    public string? Warning { get; set; }

    public void Add(StepMetrics metrics)
    {
        _last = metrics;
        _losses.Add(metrics.Loss);
        _expertLoad = [.. metrics.ExpertLoad.Select(load => (int[])load.Clone())]; // The run reuses its memory.
    }

    public IRenderable Render(int width, int height)
    {
        width = Math.Max(1, width - 1); // The last column is left free: some terminals wrap there.
        List<(string Text, Style Style)> lines = [($"lingotto pretrain {name}", Style.Plain)];
        if (Summary is null)
        {
            AddPreparation(lines, width);
        }
        else
        {
            AddRun(lines, Summary, width, height);
        }
        if (cancellation.IsCancellationRequested)
        {
            lines.Add(("stopping: the run is saved first; a second signal does not wait", s_alert));
        }
        return new Rows(lines.Select(line => new Spectre.Console.Text(line.Text.Length <= width ? line.Text : line.Text[..width],
            line.Style)));
    }

    private void AddPreparation(List<(string Text, Style Style)> lines, int width)
    {
        lines.Add((Stage, s_dim));
        if (StageProgress is { } progress)
        {
            lines.Add((Bar(progress, width), s_bar));
        }
    }

    private void AddRun(List<(string Text, Style Style)> lines, RunSummary summary, int width, int height)
    {
        lines.Add(($"{RunText.Model(summary)}; {RunText.Device(summary)}", s_dim));
        lines.Add(($"{RunText.Data(summary)}; {summary.RunFolder}", s_dim));
        if (_last is null)
        {
            lines.Add(("first step", s_dim));
            return;
        }

        string position = RunText.Position(_last) + "  ";
        lines.Add((position + Bar(Progress(_last), width - position.Length), s_bar));
        AddChart(lines, width);
        lines.AddRange(Wrap(RunText.Cells(_last, summary.Hardware), width).Select(line => (line, Style.Plain)));
        if (HeldOut is { } heldOut)
        {
            lines.Add(($"held out {RunText.HeldOut(heldOut, summary)} at step {heldOut.Step}", Style.Plain));
        }
        AddExperts(lines, summary, width, height);
        if (LastEvent is not null)
        {
            lines.Add((LastEvent, s_dim));
        }
        if (Warning is not null)
        {
            lines.Add(($"warning: {Warning}", s_alert));
        }
    }

    private void AddChart(List<(string Text, Style Style)> lines, int width)
    {
        if (_losses.Points.Count == 0)
        {
            return;
        }
        string[] rows = BrailleChart.Draw(_losses.Points, Math.Max(1, width - LabelWidth), ChartHeight);
        for (int row = 0; row < rows.Length; row++)
        {
            string label = row == 0 ? Label(_losses.Points.Max()) : row == rows.Length - 1 ? Label(_losses.Points.Min()) : "";
            lines.Add((label.PadLeft(LabelWidth - 1) + ' ' + rows[row], s_loss));
        }

        static string Label(double loss) => FormattableString.Invariant($"{loss:F3}");
    }

    private void AddExperts(List<(string Text, Style Style)> lines, RunSummary summary, int width, int height)
    {
        int rows = Math.Min(_expertLoad.Length, Math.Max(0, height - FixedLines));
        if (rows > 0)
        {
            lines.Add(("tokens of each expert (half a bar: the even share), and the busiest over that share", s_dim));
        }
        for (int row = 0; row < rows; row++)
        {
            int index = row * _expertLoad.Length / rows;
            int[] load = _expertLoad[index];
            string label = FormattableString.Invariant($"layer {summary.MoeLayers[index]}").PadRight(LabelWidth + 1);
            string busiest = FormattableString.Invariant($"  {load.Max() / Math.Max(1e-9, load.Average()):F2}");
            lines.Add((label + LoadBars.Draw(load, width - label.Length - busiest.Length) + busiest, s_experts));
        }
    }

    private static double Progress(StepMetrics m) =>
        m.NumSteps is { } last ? m.Step / (double)Math.Max(1, last)
        : m.SecondsLeft is { } left ? m.ElapsedSeconds / Math.Max(1e-9, m.ElapsedSeconds + left)
        : 0;

    private static string Bar(double progress, int width)
    {
        string percent = FormattableString.Invariant($" {100 * Math.Clamp(progress, 0, 1):F0}%");
        int room = Math.Max(0, width - percent.Length), filled = (int)(room * Math.Clamp(progress, 0, 1));
        return new string('\u2501', filled) + new string('\u2508', room - filled) + percent;
    }

    private static IEnumerable<string> Wrap(IEnumerable<string> cells, int width)
    {
        string line = "";
        foreach (string cell in cells.Where(cell => cell.Length > 0))
        {
            if (line.Length > 0 && line.Length + 2 + cell.Length > width)
            {
                yield return line;
                line = "";
            }

            line = line.Length == 0 ? cell : $"{line}  {cell}";
        }

        yield return line;
    }
}
