using System.Text;

namespace Lingotto.Planning;

/// <summary>Writes the section of the accuracy page about the cost that Ling published.</summary>
internal static class PublishedComparisonText
{
    public static void Write(StringBuilder page, PublishedComparison comparison)
    {
        page.AppendLine("## The cost that Ling published").AppendLine();
        page.AppendLine("1T tokens of Ling-Plus (arXiv 2503.05139, section 1.3): 6.35M yuan on device D, 5.08M on an unnamed device of "
            + "lower specification. `lingotto plan ling-plus --devices ling-a,ling-b,ling-c,ling-d,ling-e`").AppendLine();
        page.AppendLine($"Both columns: {PublishedComparison.Common}. Second column: {PublishedComparison.Assumptions}.").AppendLine();
        page.AppendLine("| device | free to choose, M | as the run was laid out, M | off % | against D % | interval contains | devices "
            + "| MFU % | MFU at the published cost % | pipeline bubble % | goodput % | cost at 95 % goodput, M |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (PublishedRow row in comparison.Rows)
        {
            page.AppendLine(Line($"| {row.Device} | {Range(row.Free)} ") + (row is { AsRun: { } asRun, AsRunPlan: { } plan }
                ? Line($"| {Range(asRun)} | {100 * row.Error:F0} | {100 * (row.AgainstPremium - 1):F0} | {(row.Contains ? "yes" : "no")} ")
                    + Line($"| {plan.Layout.Devices} | {100 * plan.Mfu:F1} | {100 * plan.Mfu * asRun.Middle / row.Published:F1} ")
                    + Line($"| {100 * plan.Step.Bubble / plan.Step.Total:F0} | {100 * plan.Goodput:F1} ")
                    + Line($"| {plan.Cost * plan.Goodput / 0.95 / 1e6:F2} |")
                : "| not in time on 16,384 devices | - | - | - | - | - | - | - | - | - |"));
        }

        page.AppendLine();
        page.AppendLine(Explanation).AppendLine();
    }

    private const string Explanation =
        """
        The table says where the prediction misses. 6.35M is an MFU of 22.1 % on D; 5.08M is an MFU of 18.8 % on A, 37.2 % on B,
        31.8 % on C or 38.1 % on E, counted with 181.6 GFLOP/token. The model is fitted to tables of vendors and of tuned runs,
        and the search then takes the best layout of thousands. Both say what is possible, not what the authors had. The baseline
        of Ling-1T is reported to have run at half the speed of its tuned version on the same devices (arXiv 2510.22115); a factor
        of that size explains D, and no public row says which devices the factor applies to. For A no row of any Ascend was
        published with the columns that the model needs: A uses the efficiencies of NVIDIA's software, and the MFU that
        corresponds to its published cost is the MFU of an early port. B and E are above the published cost for the opposite
        reason: ten days for 1T tokens need thousands of such slow devices, whose pipelines have few micro-batches and large
        bubbles, and each device is assumed to fail as often as Ant's cards of 2023, with 25 minutes lost each time. Ant reports a
        goodput of 95 % for later runs on thousands of devices (DLRover): the last column is the cost at that goodput. The
        assumptions are unchanged since they were written down.

        The second column was added after the first had been seen, with assumptions from the named sources that were not varied.
        Later changes were not made for Ling, but with this table in view: zero-bubble schedules became an option (few programs
        have them); models with experts got an error of their own, from rows with experts (before, D was at -38 % and its interval
        missed 6.35M, so it is weak evidence that the interval contains 6.35M now); computation that overlaps with traffic became
        slower; transfers of interleaved stages and inputs gathered again take time; and the expected error became the error of a
        source instead of a row.
        """;

    private static string Range(CostInterval cost) => Line($"{cost.Middle / 1e6:F2} ({cost.Low / 1e6:F2} to {cost.High / 1e6:F2})");

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
