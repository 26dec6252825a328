namespace Lingotto.Planning;

/// <summary>Searches every device of a list and ranks the plans by cost.</summary>
public static class Planner
{
    /// <summary>Plans a run.</summary>
    /// <param name="request">The request.</param>
    /// <param name="devices">The kinds of devices to compare.</param>
    /// <param name="pairs">True to search pairs of kinds too.</param>
    /// <param name="cancellation">Cancels the search.</param>
    public static PlanResult Run(
        PlanRequest request, IReadOnlyList<EstimatedDevice> devices, bool pairs = false, CancellationToken cancellation = default)
    {
        var outcomes = new SearchOutcome[devices.Count];
        // Each outcome is stored at the index of its device, so the number of threads does not change the result.
        Parallel.For(0, devices.Count, new ParallelOptions { CancellationToken = cancellation },
            index => outcomes[index] = Search(request, devices[index]));
        HourlyPrice[] prices = [.. devices.Select(device => HourlyPrice.Of(device.Spec, request))];
        Plan?[] plans = [.. outcomes.Zip(prices, (outcome, price) => WithPrice(outcome.Plan, request, price))];
        Plan? best = plans.Where(plan => plan?.Price is not null).MinBy(plan => plan!.Cost);
        plans = [.. plans.Select(plan => WithBreakEven(plan, best))];
        SearchCounts counts = outcomes.Aggregate(default(SearchCounts), (sum, outcome) => sum + outcome.Counts);
        (MixedPlan? mixed, SearchCounts mixedCounts) = pairs
            ? MixedSearch.Run(request, devices, best?.Cost ?? double.PositiveInfinity, cancellation: cancellation) : default;
        return new PlanResult
        {
            Request = request,
            Devices = devices,
            Mixed = mixed,
            SearchedPairs = pairs,
            Ranked = [.. plans.OfType<Plan>().Where(plan => plan.Price is not null).OrderBy(plan => plan.Cost)],
            Rejected = [.. Enumerable.Range(0, devices.Count).Where(index => plans[index]?.Price is null)
                .Select(index => new RejectedDevice(
                devices[index].Name, outcomes[index].Reason ?? prices[index].Origin, plans[index]?.BreakEvenPrice)
                {
                    UnpricedPlan = plans[index],
                })],
            Counts = counts + mixedCounts,
        };
    }

    private static SearchOutcome Search(PlanRequest request, EstimatedDevice device)
    {
        double? known = HourlyPrice.Of(device.Spec, request).PerHour;
        double price = known ?? 1;
        if (known is null)
        {
            request = request with { Budget = double.PositiveInfinity }; // without a price no budget applies
        }

        SearchOutcome[] outcomes = [.. request.Variants(device).Select(work => DeviceSearch.Run(request, device, price, work))];
        SearchCounts counts = outcomes.Aggregate(default(SearchCounts), (sum, outcome) => sum + outcome.Counts);
        return outcomes.MinBy(outcome => outcome.Plan?.Cost ?? double.PositiveInfinity)! with { Counts = counts };
    }

    private static Plan? WithPrice(Plan? plan, PlanRequest request, HourlyPrice price) => plan is null || price.PerHour is null
        ? plan : plan with { Price = price, Interval = CostInterval.Of(plan, request, price) };

    private static Plan? WithBreakEven(Plan? plan, Plan? best) => plan is null || best is null ? plan : plan with
    {
        BreakEvenPrice = best.Cost / plan.DeviceHours,
        BreakEvenMfu = plan.Price is null ? null : plan.Mfu * plan.Cost / best.Cost,
    };
}
