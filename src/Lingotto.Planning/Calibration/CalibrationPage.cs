using System.Globalization;
using System.Text;

namespace Lingotto.Planning;

/// <summary>The accuracy of the planner as a page: what was fitted, to what, and how wrong it is where it did not look.</summary>
public static class CalibrationPage
{
    /// <summary>Useful time of MegaScale's 12,288 devices.</summary>
    internal static double MegaScaleGoodput => MegaScaleUseful(5, 600);

    /// <summary>The same with other times to save and to restart.</summary>
    internal static double MegaScaleUseful(double saveSeconds, double restartSeconds) => Goodput.BestShare(12288, 1.97e-5, saveSeconds, restartSeconds);

    /// <summary>docs/evidence/planner.md.</summary>
    /// <param name="calibration">The fits and their tests.</param>
    /// <param name="comparison">The published costs beside the predicted ones.</param>
    public static string Markdown(Calibration calibration, PublishedComparison comparison)
    {
        var page = new StringBuilder();
        page.AppendLine("# The planner, measured").AppendLine();
        page.AppendLine("Written by `lingotto plan calibrate --evidence docs/evidence/planner.md` from `devices/calibration/`; the same bits each time.");
        page.AppendLine("Rank correlations are of the share of peak: times would rank by the size of the model alone.");
        page.AppendLine("Errors are of the time of a step: predicted over measured, less one. Skill is 1 minus the error over that of a constant share");
        page.AppendLine("of peak, the median of the rows that were fitted. The 80 % interval of a row is the one that a");
        page.AppendLine("plan gives: 1.2816 times the error to expect of a model or source nobody has seen, the root of the mean over the other folds of the mean");
        page.AppendLine("square of each; variants of a network are one fold. It was first the root over rows, which covered 93.8 % of vtrain-multi with its source left");
        page.AppendLine("out; that a source counts once, and that traffic of replicas and experts slows the computation beside it, was decided with these tables in sight.");
        page.AppendLine("No row of Ling enters a fit that a plan uses. The formulas themselves (what a host costs, what a table leaves out) were written with these");
        page.AppendLine("rows in view, so the errors below are those of the scalars, not of an unseen world. All measured families are NVIDIA's: for every other");
        page.AppendLine("vendor the errors are a guess, never narrower than that of the worst measured family.").AppendLine();
        CalibrationBars.Write(page, calibration, comparison);
        Table(page, "Inside a source, one model left out at a time", [.. calibration.ByModel, Pooled(calibration.ModelFolds.Values.SelectMany(rows => rows))]);
        Table(page, "Each source predicted from the other sources of its family", [.. calibration.BySource, Pooled(calibration.SourceFolds)]);
        Table(page, "Models with experts predicted from dense rows", [Accuracy.Of("all rows with experts", calibration.DenseToMoe)]);
        Families(page, calibration.Table);
        MixedClusterAccuracy.Write(page, calibration.MixedCluster);
        Published(page, comparison);
        Reliability(page);
        CalibrationDecisions.Write(page, calibration);
        page.AppendLine("## Rows not used").AppendLine();
        foreach ((string reason, int rows) in calibration.LeftOut)
            page.AppendLine(Line($"- {reason}: {rows}"));
        return page.ToString();
    }

    /// <summary>Groups too small to judge an interval by, as one.</summary>
    internal static Accuracy Pooled(IEnumerable<Prediction> folds) => Accuracy.Of(
        "groups below 20 rows, pooled", [.. folds.GroupBy(row => row.Run.Group).Where(group => group.Count() < 20).SelectMany(group => group)]);

    private static void Published(StringBuilder page, PublishedComparison comparison)
    {
        page.AppendLine("## The cost that Ling published").AppendLine();
        page.AppendLine("1T tokens of Ling-Plus (arXiv 2503.05139, section 1.3): 6.35M yuan on device D, 5.08M on an unnamed one of lower specification. `lingotto plan ling-plus --devices ling-a,ling-b,ling-c,ling-d,ling-e`").AppendLine();
        page.AppendLine("Both columns: " + PublishedComparison.Common + ". Second column: " + PublishedComparison.Assumptions + ".").AppendLine();
        page.AppendLine("| device | free to choose, M | as the run was laid out, M | off % | against D % | interval contains | devices | MFU % | MFU at the published cost % | waits in the pipeline % | useful time % | cost at 95 % useful time, M |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (PublishedRow row in comparison.Rows)
        {
            page.AppendLine(row is { AsRun: { } asRun, AsRunPlan: { } plan }
                ? Line($"| {row.Device} | {Range(row.Free)} | {Range(asRun)} | {100 * row.Error:F0} | {100 * (row.AgainstPremium - 1):F0} | {(row.Contains ? "yes" : "no")} | {plan.Layout.Devices} | {100 * plan.Mfu:F1} | {100 * plan.Mfu * asRun.Middle / row.Published:F1} | {100 * plan.Step.Bubble / plan.Step.Total:F0} | {100 * plan.Goodput:F1} | {plan.Cost * plan.Goodput / 0.95 / 1e6:F2} |")
                : Line($"| {row.Device} | {Range(row.Free)} | not in time on 16,384 devices | - | - | - | - | - | - | - | - | - |"));
        }

        page.AppendLine();
        page.AppendLine("Not reached where the table says so. 6.35M is 22.1 % of D's peak and 5.08M is 18.8 % of A's, 37.2 % of B's, 31.8 % of C's or 38.1 % of E's, counted with");
        page.AppendLine("181.6 GFLOP/token. The model is fitted to tables of vendors and of tuned runs, and the search then takes the best layout of thousands: both say");
        page.AppendLine("what can be had, not what was had. Ling-1T's own baseline is reported to have run at half the speed of its tuned version on the same devices");
        page.AppendLine("(arXiv 2510.22115); a factor of that size explains D, and no public row says which devices it applies to. For A no row of any Ascend was published");
        page.AppendLine("with what the model needs: it borrows NVIDIA's software, and the share of peak that its price would take is that of an early port. E, and B, are above what");
        page.AppendLine("was published for the opposite reason: ten days for 1T tokens take thousands of such slow devices, whose pipelines wait for few micro-batches, and each of");
        page.AppendLine("which is taken to fail as often as Ant's cards of 2023, with 25 minutes lost each time. Ant reports 95 % useful time of later runs on thousands of devices");
        page.AppendLine("(DLRover): the last column is the cost with that. The assumptions stand as they were written down.").AppendLine();
        page.AppendLine("The second column was added after the first had been seen, with assumptions taken from the sources named and not varied. Changes came later, none made for Ling but all with this");
        page.AppendLine("table in sight: zero-bubble schedules became an option (few programs have them), models with experts got an error of their own, from rows with");
        page.AppendLine("experts (before both D stood at -38 % and its interval missed 6.35M; so that it now contains it is weak evidence), computation beside traffic got slower,");
        page.AppendLine("transfers of interleaved stages and inputs gathered again got their time, and the error to expect became that of a source instead of a row.").AppendLine();
    }

    private static string Range(CostInterval cost) => Line($"{cost.Middle / 1e6:F2} ({cost.Low / 1e6:F2} to {cost.High / 1e6:F2})");

    /// <summary>Formulas of failures and stragglers beside published figures.</summary>
    private static void Reliability(StringBuilder page)
    {
        page.AppendLine("## Failures and stragglers").AppendLine();
        page.AppendLine("| what | published | formula | inputs |").AppendLine("|---|---|---|---|");
        page.AppendLine(Line($"| useful time of Llama 3, 16,384 devices | above 90 % | {100 * Goodput.BestShare(16384, 1.97e-5, 30, 300):F1} % | its own rate of failures; save 30 s and restart 5 min are assumed |"));
        page.AppendLine(Line($"| useful time of MegaScale, 12,288 devices | above 90 % | {100 * MegaScaleGoodput:F1} % | rate of Llama 3; at most 10 min to find and diagnose, saves stall several seconds (5 s), as it says; its 15 min to catch up are the work done again |"));
        page.AppendLine(Line($"| useful time of Ant, 1,000 cards, late | 95 % | {100 * Goodput.BestShare(1000, 1.1e-4, 5, 900):F1} % | its own rate; save 5 s (kept in memory) and restart 15 min are assumed |"));
        var ling = new Stragglers(0.657, 0.004);
        foreach ((int devices, double published) in (ReadOnlySpan<(int, double)>)[(256, 0.064), (1024, 0.055), (2048, 0.055), (4096, 0.055)])
            page.AppendLine(Line($"| synchronous steps/s on {devices} devices (Ling, figure 8) | {published:F3} | {0.091 / ling.Synchronous(devices):F4} | slow steps: 0.4 % of a device's, 66 % longer, 0.091 steps/s without |"));
        double edit = ling.ByClock() / 0.091;
        page.AppendLine(Line($"| EDiT steps/s, 256 to 4,096 devices | 0.091 | {1 / (edit + StepModel.Meeting(4096, 1, ling, edit)):F4} | the same, exchange by the clock every 10 min with a wait for the last |"));
        page.AppendLine().AppendLine("The two numbers of slow steps are fitted to the four synchronous points of Ling's figure 8: the shape is reproduced, not predicted. A plan uses slow steps only where `--straggler-share` and `--straggler-slowdown` are given.").AppendLine();
    }

    private static void Table(StringBuilder page, string title, IReadOnlyList<Accuracy> groups)
    {
        page.AppendLine("## " + title).AppendLine();
        page.AppendLine("| group | rows | MAPE % | bias % | p90 % | max % | Spearman | top-1 regret % | 80 % interval covers % | constant MFU % | skill |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (Accuracy group in groups)
        {
            string regret = double.IsNaN(group.TopRegret) ? "-" : Percent(group.TopRegret);
            string covered = double.IsNaN(group.Coverage) ? "-" : Line($"{100 * group.Coverage:F0}");
            page.AppendLine(Line(
                $"| {group.Name} | {group.Rows} | {Percent(group.Mape)} | {Percent(group.Bias)} | {Percent(group.P90)} | {Percent(group.Max)} | {group.Spearman:F2} | {regret} | {covered} | {Percent(group.ConstantMape)} | {group.Skill:F2} |"));
        }

        page.AppendLine();
    }

    private static void Families(StringBuilder page, EfficiencyTable table)
    {
        page.AppendLine("## The scalars").AppendLine();
        page.AppendLine("| family | rows | matrix products | attention | links | kernel us | host ms a layer | gain a year % | middle of releases | error of the log | with experts |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (FamilyEfficiency fit in table.Families)
        {
            page.AppendLine(Line(
                $"| {fit.Family} | {fit.Rows} | {fit.Matmul:F3} | {fit.Attention:F3} | {fit.Link:F3} | {1e6 * fit.KernelSeconds:F2} | {1e3 * fit.HostSeconds:F3} | {100 * fit.ReleaseGainPerYear:F1} | {fit.ReleaseYear:F1} | {fit.LogError:F3} | {fit.MoeLogError:F3} |"));
        }

        page.AppendLine();
    }

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
