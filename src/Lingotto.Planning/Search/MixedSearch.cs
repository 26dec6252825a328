using System.Numerics;

namespace Lingotto.Planning;

/// <summary>
/// The cheapest pair of device kinds, each with whole replicas: T = max(T_1(B_1), T_2(B_2)) + exchange, B_1 + B_2 = B, T_k a line in
/// B_k; islands that exchange by the clock wait for the last when it strikes. Each kind takes whole micro-batches, as many as its
/// schedule divides. Tensor and expert parallelism never cross
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

    /// <summary>
    /// Whole micro-batches of the first kind with which both end nearly together, the second takes the rest; null where one could take
    /// all. Both quanta divide the update, so shares of the first are multiples of both.
    /// </summary>
    private MixedPlan? Share(FleetOption first, FleetOption second, HourlyPrice firstPrice, HourlyPrice secondPrice)
    {
        int total = _work.SequencesPerStep, quantum = first.Quantum / (int)BigInteger.GreatestCommonDivisor(first.Quantum, second.Quantum) * second.Quantum;
        double even = Even(first, second) / quantum;
        bool isApart = _work.Exchange != ExchangeRule.EveryStep;
        double exchange = isApart ? 0 : Exchange(first, second);
        MixedPlan? best = null;
        foreach (double shares in (ReadOnlySpan<double>)[Math.Floor(even), Math.Ceiling(even)])
        {
            double some = shares * quantum, rest = total - some;
            if (some <= 0 || rest <= 0)
                continue;
            double slower = Math.Max(first.Seconds(some), second.Seconds(rest));
            double step = slower + (isApart ? Meeting(first.Layout, second.Layout, slower) : exchange);
            double useful = MixedFleet.Useful(_request, first.Device, first.Layout.Devices, second.Device, second.Layout.Devices);
            var plan = new MixedPlan(
                isApart ? MixedWay.Islands : MixedWay.Replicas,
                new MixedPart(first.Device, firstPrice, first.Layout.Devices, first.Layout, first.Work, some, []),
                new MixedPart(second.Device, secondPrice, second.Layout.Devices, second.Layout, second.Work, rest, []),
                step, exchange, _steps * step / useful);
            if (best is null || plan.Cost < best.Cost)
                best = plan;
        }

        return best;
    }

    private double Meeting(in Layout first, in Layout second, double seconds) => StepModel.Meeting(
        first.Islands + second.Islands, Math.Max(first.Devices / first.Islands, second.Devices / second.Islands), _work.Stragglers, seconds);

    /// <summary>
    /// Gradients travel between kinds once a step on the slower network: an all-reduce of two, each device sends its shard once. Nothing
    /// hides it, for it follows the reduction inside each kind, which already hides behind backward.
    /// </summary>
    private double Exchange(FleetOption first, FleetOption second)
    {
        double Traffic(FleetOption option) =>
            _work.ReducedGradientBytes * StageWeights.Of(_work.Model, option.Layout).Shard(option.Layout) / option.InterBytesPerSecond;
        return Collectives.StartSeconds + Math.Max(Traffic(first), Traffic(second));
    }
}
