namespace Lingotto.Planning;

/// <summary>Searches every device of a list and ranks them by cost.</summary>
public static class Planner
{
    /// <summary>Plans a run.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="devices">The competitors.</param>
    /// <param name="pairs">Consider pairs of kinds too.</param>
    /// <param name="cancellation">Ends the search.</param>
    public static PlanResult Run(
        PlanRequest request, IReadOnlyList<DeviceEstimate> devices, bool pairs = false, CancellationToken cancellation = default)
    {
        var answers = new DeviceAnswer[devices.Count];
        // Each answer stands at the index of its device, so threads do not change the result.
        Parallel.For(0, devices.Count, new ParallelOptions { CancellationToken = cancellation },
            index => answers[index] = Search(request, devices[index]));
        var options = new List<PlanOption>();
        foreach (DeviceAnswer answer in answers)
        {
            HourlyPrice price = HourlyPrice.Of(answer.Device.Device, request);
            options.Add(new PlanOption
            {
                Answer = answer,
                Price = price,
                Interval = answer.Plan is { } plan && price.PerHour is not null ? CostInterval.Of(plan, request, price) : null,
            });
        }

        PlanOption? best = options.Where(option => option.IsRanked).MinBy(option => option.Answer.Plan!.Cost);
        SearchCounts counts = answers.Aggregate(default(SearchCounts), (sum, answer) => sum + answer.Counts);
        (MixedPlan? mixed, SearchCounts mixedCounts) = pairs
            ? MixedSearch.Run(request, devices, best?.Answer.Plan!.Cost ?? double.PositiveInfinity, cancellation: cancellation) : default;
        return new PlanResult
        {
            Request = request,
            Mixed = mixed,
            SearchedPairs = pairs,
            Ranked = [.. options.Where(option => option.IsRanked).OrderBy(option => option.Answer.Plan!.Cost).Select(option => Compare(option, best))],
            Others = [.. options.Where(option => !option.IsRanked).Select(option => Compare(option, best))],
            Counts = counts + mixedCounts,
        };
    }

    private static DeviceAnswer Search(PlanRequest request, DeviceEstimate device)
    {
        double? known = HourlyPrice.Of(device.Device, request).PerHour;
        double price = known ?? 1;
        if (known is null)
            request = request with { Budget = double.PositiveInfinity }; // no money to compare with
        DeviceAnswer[] answers = [.. request.Variants(device).Select(work => DeviceSearch.Run(request, device, price, work))];
        SearchCounts counts = answers.Aggregate(default(SearchCounts), (sum, answer) => sum + answer.Counts);
        return answers.MinBy(answer => answer.Plan?.Cost ?? double.PositiveInfinity)! with { Counts = counts };
    }

    private static PlanOption Compare(PlanOption option, PlanOption? best)
    {
        if (option.Answer.Plan is not { } plan || best?.Answer.Plan is not { } winner)
            return option;
        return option with
        {
            BreakEvenPrice = winner.Cost / plan.DeviceHours,
            BreakEvenMfu = option.IsRanked ? plan.Mfu * plan.Cost / winner.Cost : null,
        };
    }
}
