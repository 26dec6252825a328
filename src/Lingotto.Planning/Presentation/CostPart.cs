namespace Lingotto.Planning;

/// <summary>A part of a plan in seconds of an update and in cost of the run.</summary>
/// <param name="Name">Name of the part.</param>
/// <param name="Seconds">Time per update, s.</param>
/// <param name="Money">Cost of the run.</param>
public sealed record CostPart(string Name, double Seconds, double Money)
{
    /// <summary>
    /// Returns the parts of a plan: the parts of a step, and the time lost to failures and saves. They sum to wall time and cost.
    /// </summary>
    public static IReadOnlyList<CostPart> Of(Plan plan)
    {
        double perSecond = plan.Cost / (plan.Step.Total / plan.Goodput), lost = plan.Step.Total * (1 / plan.Goodput - 1);
        return
        [
            .. StepTime.PartNames.Zip(plan.Step.Parts).Where(part => part.Second > 0)
                .Select(part => new CostPart(part.First, part.Second, part.Second * perSecond)),
            new CostPart("lost to failures and saves", lost, lost * perSecond),
        ];
    }
}
