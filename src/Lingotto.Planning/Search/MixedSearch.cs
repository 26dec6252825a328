namespace Lingotto.Planning;

/// <summary>
/// The cheapest pair of device kinds, each with whole replicas: T = max(T_1(B_1), T_2(B_2)) + exchange, B_1 + B_2 = B, T_k a line in
/// B_k; islands that exchange by the clock wait for nobody, so that both T_k are equal. Tensor and expert parallelism never cross
/// kinds. A pair costs at least what its cheaper kind would cost without limits on stock and time, so pairs of which neither kind
/// alone is below the best are cut; a pair helps where stock or deadline bind.
/// </summary>
public sealed class MixedSearch
{
    private readonly PlanRequest _request;
    private readonly Workload _work;
    private readonly IReadOnlyList<(DeviceEstimate Device, HourlyPrice Price)> _kinds;
    private readonly IReadOnlyList<FleetOption>[] _fronts;
    private readonly double _steps;
    private readonly bool _prunes;
    private long _evaluated, _pruned;

    private MixedSearch(
        PlanRequest request, Workload work, IReadOnlyList<(DeviceEstimate Device, HourlyPrice Price)> kinds, IReadOnlyList<FleetOption>[] fronts, bool prunes)
    {
        _request = request;
        _work = work;
        _kinds = kinds;
        _fronts = fronts;
        _steps = request.StepsOf(work);
        _prunes = prunes;
    }

    /// <summary>Searches all pairs of devices that have a price, in every way of sharing the work.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="devices">The competitors.</param>
    /// <param name="bestCost">Cost of the best plan on one kind; infinite for none.</param>
    /// <param name="prunes">Cut what cannot be below the best.</param>
    /// <param name="cancellation">Ends the search.</param>
    public static (MixedPlan? Plan, SearchCounts Counts) Run(
        PlanRequest request, IReadOnlyList<DeviceEstimate> devices, double bestCost, bool prunes = true, CancellationToken cancellation = default)
    {
        IReadOnlyList<(DeviceEstimate Device, HourlyPrice Price)> kinds = MixedFleet.Priced(request, devices);
        bestCost = Math.Min(bestCost, request.Budget);
        MixedPlan? best = null;
        SearchCounts counts = default;
        foreach (ExchangeRule rule in kinds.SelectMany(kind => request.Variants(kind.Device)).Select(work => work.Exchange).Distinct())
        {
            var fronts = new (List<FleetOption> Options, SearchCounts Counts)[kinds.Count];
            Parallel.For(0, kinds.Count, new ParallelOptions { CancellationToken = cancellation }, index => fronts[index] = Front(request, kinds[index], rule));
            var search = new MixedSearch(request, request.Work with { Exchange = rule }, kinds, [.. fronts.Select(front => front.Options)], prunes);
            best = search.Pairs(best?.Cost ?? bestCost) ?? best;
            counts = fronts.Aggregate(counts, (sum, front) => sum + front.Counts) + new SearchCounts(search._evaluated, search._pruned, 0, 0, 0);
        }

        (MixedPlan? staged, SearchCounts stagedCounts) = StagedSearch.Run(request, kinds, best?.Cost ?? bestCost, prunes, cancellation);
        best = staged ?? best;
        return (best is null ? null : best with { LogError = MixedInterval.LogErrorOf(best, request) }, counts + stagedCounts);
    }

    private static (List<FleetOption> Options, SearchCounts Counts) Front(
        PlanRequest request, (DeviceEstimate Device, HourlyPrice Price) kind, ExchangeRule rule)
    {
        var options = new List<FleetOption>();
        SearchCounts counts = default;
        foreach (Workload work in request.Variants(kind.Device).Where(work => work.Exchange == rule))
        {
            (List<FleetOption> some, SearchCounts looked) = DeviceFront.Of(request, kind.Device, kind.Price.PerHour!.Value, work);
            options.AddRange(some);
            counts += looked;
        }

        return (options, counts);
    }

    private MixedPlan? Pairs(double bestCost)
    {
        double[] least = [.. _fronts.Select(front => front.Select(LeastCost).DefaultIfEmpty(double.PositiveInfinity).Min())];
        MixedPlan? best = null;
        for (int i = 0; i < _fronts.Length; i++)
        {
            for (int j = i + 1; j < _fronts.Length; j++)
            {
                if (_prunes && Math.Min(least[i], least[j]) >= bestCost)
                {
                    _pruned++;
                    continue;
                }

                foreach (FleetOption first in _fronts[i])
                {
                    foreach (FleetOption second in _fronts[j])
                    {
                        if (_prunes && !MayWin(first, second, bestCost))
                            continue;
                        _evaluated++;
                        if (Share(first, second, _kinds[i].Price, _kinds[j].Price) is { } plan && plan.Cost < bestCost && plan.Days <= _request.DeadlineDays)
                            (best, bestCost) = (plan, plan.Cost);
                    }
                }
            }
        }

        return best;
    }

    /// <summary>False if two fleets that ended together to the second, without failures, would still be too dear or too slow.</summary>
    private bool MayWin(FleetOption first, FleetOption second, double bestCost)
    {
        double seconds = _steps * first.Seconds(Even(first, second));
        return seconds / 3600 * (first.HourlyCost + second.HourlyCost) < bestCost && seconds / 86400 <= _request.DeadlineDays;
    }

    /// <summary>Sequences of the first fleet with which both end together.</summary>
    private double Even(FleetOption first, FleetOption second) => (second.Seconds(_work.SequencesPerStep) - first.Seconds(0))
        / (first.RoundSeconds / first.SequencesPerRound + second.RoundSeconds / second.SequencesPerRound);

    /// <summary>What a run costs at the rate of an option's micro-batches, with nothing fixed and no failures.</summary>
    private double LeastCost(FleetOption option) =>
        _steps * _work.SequencesPerStep / option.SequencesPerRound * option.RoundSeconds / 3600 * option.HourlyCost;

    /// <summary>Rounds of the first kind so that both end together, the second takes the rest; null where the first could take all.</summary>
    private MixedPlan? Share(FleetOption first, FleetOption second, HourlyPrice firstPrice, HourlyPrice secondPrice)
    {
        int total = _work.SequencesPerStep;
        double even = Even(first, second);
        MixedPlan Plan(MixedWay way, double sequences, double step, double exchange) => new(
            way, new MixedPart(first.Device, firstPrice, first.Layout.Devices, first.Layout, first.Work, sequences, []),
            new MixedPart(second.Device, secondPrice, second.Layout.Devices, second.Layout, second.Work, total - sequences, []), step, exchange,
            _steps * step / MixedFleet.Useful(_request, first.Device, first.Layout.Devices, second.Device, second.Layout.Devices));
        if (_work.Exchange != ExchangeRule.EveryStep)
            return even > 0 && even < total ? Plan(MixedWay.Islands, even, first.Seconds(even), 0) : null;
        double exchange = Exchange(first, second);
        MixedPlan? best = null;
        foreach (double rounds in (ReadOnlySpan<double>)[Math.Floor(even / first.SequencesPerRound), Math.Ceiling(even / first.SequencesPerRound)])
        {
            int firstSequences = (int)rounds * first.SequencesPerRound, rest = total - firstSequences;
            if (firstSequences <= 0 || rest <= 0)
                continue;
            int secondRounds = (rest + second.SequencesPerRound - 1) / second.SequencesPerRound; // the last may be short
            double slower = Math.Max(first.Seconds(firstSequences), second.Seconds(secondRounds * (double)second.SequencesPerRound));
            MixedPlan plan = Plan(MixedWay.Replicas, firstSequences, slower + exchange, exchange);
            if (best is null || plan.Cost < best.Cost)
                best = plan;
        }

        return best;
    }

    /// <summary>Gradients travel between kinds once a step, scattered over the devices of a replica, on the slower network, beside the last backward.</summary>
    private double Exchange(FleetOption first, FleetOption second)
    {
        double Traffic(FleetOption option) =>
            2 * _work.ReducedGradientBytes * StageWeights.Of(_work.Model, option.Layout).Shard(option.Layout) / option.InterBytesPerSecond;
        return StepModel.Exposed(
            Math.Max(Traffic(first), Traffic(second)), Math.Min(first.RoundSeconds, second.RoundSeconds), _work.DataOverlap);
    }
}
