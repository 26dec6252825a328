namespace Lingotto.Planning;

/// <summary>A part of a plan in seconds of an update and in money of the run.</summary>
/// <param name="Name">What the time goes into.</param>
/// <param name="Seconds">Of an update.</param>
/// <param name="Money">Of the run.</param>
public sealed record CostPart(string Name, double Seconds, double Money)
{
    /// <summary>The parts of a plan, those of a step and what failures take; they sum to wall time and cost.</summary>
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
