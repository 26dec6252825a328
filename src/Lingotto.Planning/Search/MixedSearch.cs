namespace Lingotto.Planning;

/// <summary>
/// The cheapest pair of device kinds, each with whole replicas: T = max(T_1(B_1), T_2(B_2)) + exchange, B_1 + B_2 = B, T_k a line in
/// B_k. Tensor and expert parallelism never cross kinds. A pair costs at least what its cheaper kind would cost without limits on
/// stock and time, so pairs of which neither kind alone is below the best are cut; a pair helps where stock or deadline bind.
/// </summary>
public sealed class MixedSearch
{
    private readonly PlanRequest _request;
    private readonly IReadOnlyList<FleetOption>[] _fronts;
    private readonly double _steps;
    private long _evaluated, _pruned;

    private MixedSearch(PlanRequest request, IReadOnlyList<FleetOption>[] fronts)
    {
        _request = request;
        _fronts = fronts;
        _steps = request.Tokens / request.Work.TokensPerStep;
    }

    /// <summary>Searches all pairs of devices that have a price.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="devices">The competitors.</param>
    /// <param name="bestCost">Cost of the best plan on one kind; infinite for none.</param>
    /// <param name="cancellation">Ends the search.</param>
    public static (MixedPlan? Plan, SearchCounts Counts) Run(
        PlanRequest request, IReadOnlyList<DeviceEstimate> devices, double bestCost, CancellationToken cancellation = default)
    {
        (DeviceEstimate Device, double Price)[] priced =
            [.. devices.Select(device => (device, HourlyPrice.Of(device.Device, request).PerHour)).Where(pair => pair.PerHour is not null)
                .Select(pair => (pair.device, pair.PerHour!.Value))];
        var fronts = new (List<FleetOption> Options, SearchCounts Counts)[priced.Length];
        Parallel.For(0, priced.Length, new ParallelOptions { CancellationToken = cancellation },
            index => fronts[index] = DeviceFront.Of(request, priced[index].Device, priced[index].Price, request.Work));
        var search = new MixedSearch(request, [.. fronts.Select(front => front.Options)]);
        MixedPlan? plan = search.Pairs(Math.Min(bestCost, request.Budget));
        SearchCounts counts = fronts.Aggregate(default(SearchCounts), (sum, front) => sum + front.Counts);
        return (plan, counts + new SearchCounts(search._evaluated, search._pruned, 0, 0, 0));
    }

    private MixedPlan? Pairs(double bestCost)
    {
        double[] least = [.. _fronts.Select(front => front.Select(LeastCost).DefaultIfEmpty(double.PositiveInfinity).Min())];
        MixedPlan? best = null;
        for (int i = 0; i < _fronts.Length; i++)
        {
            for (int j = i + 1; j < _fronts.Length; j++)
            {
                if (Math.Min(least[i], least[j]) >= bestCost)
                {
                    _pruned++;
                    continue;
                }

                foreach (FleetOption first in _fronts[i])
                {
                    foreach (FleetOption second in _fronts[j])
                    {
                        if (Math.Min(LeastCost(first), LeastCost(second)) >= bestCost)
                            continue;
                        _evaluated++;
                        if (Share(first, second) is { } plan && plan.Cost < bestCost && plan.Days <= _request.DeadlineDays)
                            (best, bestCost) = (plan, plan.Cost);
                    }
                }
            }
        }

        return best;
    }

    /// <summary>What a run costs at the rate of an option's micro-batches, with nothing fixed and no failures.</summary>
    private double LeastCost(FleetOption option) =>
        _steps * _request.Work.SequencesPerStep / option.SequencesPerRound * option.RoundSeconds / 3600 * option.HourlyCost;

    /// <summary>Rounds of the first kind so that both end together, the second takes the rest; null where the first could take all.</summary>
    private MixedPlan? Share(FleetOption first, FleetOption second)
    {
        int total = _request.Work.SequencesPerStep;
        double slopeFirst = first.RoundSeconds / first.SequencesPerRound, slopeSecond = second.RoundSeconds / second.SequencesPerRound;
        double even = (second.Seconds(total) - first.Seconds(0)) / (slopeFirst + slopeSecond) / first.SequencesPerRound;
        MixedPlan? best = null;
        foreach (double rounds in (ReadOnlySpan<double>)[Math.Floor(even), Math.Ceiling(even)])
        {
            int firstSequences = (int)rounds * first.SequencesPerRound, rest = total - firstSequences;
            if (firstSequences <= 0 || rest <= 0)
                continue;
            int secondRounds = (rest + second.SequencesPerRound - 1) / second.SequencesPerRound; // the last may be short
            double slower = Math.Max(first.Seconds(firstSequences), second.Seconds(secondRounds * (double)second.SequencesPerRound));
            double exchange = Exchange(first, second);
            double step = slower + exchange;
            double seconds = _steps * step / Useful(first, second);
            double cost = seconds / 3600 * (first.HourlyCost + second.HourlyCost);
            if (best is null || cost < best.Cost)
                best = new MixedPlan(first, second, firstSequences, rest, step, exchange, seconds, cost);
        }

        return best;
    }

    /// <summary>Gradients travel between kinds once a step, scattered over the devices of a replica, on the slower network; a tenth stays exposed.</summary>
    private double Exchange(FleetOption first, FleetOption second)
    {
        double Traffic(FleetOption option)
        {
            StageWeights weights = StageWeights.Of(_request.Work.Model, option.Layout);
            double replicated = weights.Shared / option.Layout.Data + weights.Experts / option.Layout.ExpertData;
            return 2 * _request.Work.GradientBytes * replicated / option.InterBytesPerSecond;
        }

        double traffic = Math.Max(Traffic(first), Traffic(second)), overlap = _request.Work.DataOverlap;
        return (1 - overlap) * traffic + Math.Max(0, overlap * traffic - Math.Min(first.RoundSeconds, second.RoundSeconds));
    }

    /// <summary>A failure of either kind stops both.</summary>
    private double Useful(FleetOption first, FleetOption second)
    {
        double Rate(FleetOption option) => option.Layout.Devices * (_request.FailuresPerDeviceHour ?? option.Device.FailuresPerDeviceHour);
        int devices = first.Layout.Devices + second.Layout.Devices;
        return Goodput.BestShare(devices, (Rate(first) + Rate(second)) / devices, _request.SaveSeconds, _request.RestartSeconds);
    }
}
