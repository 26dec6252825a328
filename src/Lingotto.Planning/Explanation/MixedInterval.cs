namespace Lingotto.Planning;

/// <summary>
/// The uncertainty of a mixed plan: that of each kind, as if its layout stood alone, weighed by its share of the cost. The kinds share
/// formulas, so their errors are added and not set against each other, which is the wider of the two.
/// </summary>
internal static class MixedInterval
{
    /// <summary>Standard deviation of the logarithm of the cost.</summary>
    public static double LogErrorOf(MixedPlan plan, PlanRequest request)
    {
        double LogError(MixedPart part)
        {
            var alone = new Plan
            {
                Device = part.Device,
                Layout = part.Layout,
                Work = part.Work,
                Step = StepModel.Evaluate(part.Work, part.Layout, part.Device.Rates(part.Work.Precision, request.SoftwareYear)),
                Memory = default,
                Steps = 1,
                Goodput = 1,
                PricePerHour = part.Price.PerHour!.Value,
                Mfu = 0,
            };
            return CostInterval.Of(alone, request, part.Price).LogError;
        }

        double first = plan.First.HourlyCost, second = plan.Second.HourlyCost;
        return (first * LogError(plan.First) + second * LogError(plan.Second)) / (first + second);
    }
}
