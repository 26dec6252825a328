using System.Numerics;

namespace Lingotto.Planning;

/// <summary>
/// Finds the cheapest pair of device kinds, each with whole replicas: T = max(T_1(B_1), T_2(B_2)) + exchange with B_1 + B_2 = B, where T_k
/// is linear in B_k. Islands with time-based sync wait for each other at a sync. Each kind takes whole micro-batches in multiples that its
/// schedule accepts. Tensor and expert parallelism never cross kinds. A pair costs at least what its cheaper kind would cost without
/// limits on stock and time, so pairs are cut if neither kind alone is below the best cost. A pair helps only if stock or deadline limits
/// the single kinds.
/// </summary>
internal sealed class MixedSearch
{
    private readonly PlanRequest _request;
    private readonly Workload _work;
    private readonly IReadOnlyList<(EstimatedDevice Device, HourlyPrice Price)> _kinds;
    private readonly IReadOnlyList<FleetOption>[] _fleets;
    private readonly double _steps;
    private readonly bool _prunes;
    private long _evaluated, _pruned;

    private MixedSearch(
        PlanRequest request, Workload work, IReadOnlyList<(EstimatedDevice Device, HourlyPrice Price)> kinds,
        IReadOnlyList<FleetOption>[] fleets, bool prunes)
    {
        _request = request;
        _work = work;
        _kinds = kinds;
        _fleets = fleets;
        _steps = request.StepsOf(work);
        _prunes = prunes;
    }

    /// <summary>Searches all pairs of devices that have a price, in every mode of sharing the work.</summary>
    /// <param name="request">The request.</param>
    /// <param name="devices">The kinds of devices.</param>
    /// <param name="bestCost">Cost of the best plan on one kind; infinite if there is none.</param>
    /// <param name="prunes">False to evaluate every pair instead of cutting by bounds.</param>
    /// <param name="cancellation">Cancels the search.</param>
    public static (MixedPlan? Plan, SearchCounts Counts) Run(
        PlanRequest request, IReadOnlyList<EstimatedDevice> devices, double bestCost, bool prunes = true,
        CancellationToken cancellation = default)
    {
        IReadOnlyList<(EstimatedDevice Device, HourlyPrice Price)> kinds = MixedFleet.Priced(request, devices);
        bestCost = Math.Min(bestCost, request.Budget);
        MixedPlan? best = null;
        SearchCounts counts = default;
        foreach (ExchangeRule rule in kinds.SelectMany(kind => request.Variants(kind.Device)).Select(work => work.Exchange).Distinct())
        {
            var fleets = new (List<FleetOption> Fleets, SearchCounts Counts)[kinds.Count];
            Parallel.For(
                0, kinds.Count, new ParallelOptions { CancellationToken = cancellation },
                index => fleets[index] = FleetsOf(request, kinds[index], rule));
            var search = new MixedSearch(
                request, request.Work with { Exchange = rule }, kinds, [.. fleets.Select(kind => kind.Fleets)], prunes);
            best = search.Pairs(best?.Cost ?? bestCost) ?? best;
            counts = fleets.Aggregate(counts, (sum, kind) => sum + kind.Counts)
                + new SearchCounts(search._evaluated, search._pruned, 0, 0, 0);
        }

        (MixedPlan? staged, SearchCounts stagedCounts) = StagedSearch.Run(request, kinds, best?.Cost ?? bestCost, prunes, cancellation);
        best = staged ?? best;
        return (best is null ? null : best with { LogError = MixedFleet.LogErrorOf(best, request) }, counts + stagedCounts);
    }

    private static (List<FleetOption> Fleets, SearchCounts Counts) FleetsOf(
        PlanRequest request, (EstimatedDevice Device, HourlyPrice Price) kind, ExchangeRule rule)
    {
        var fleets = new List<FleetOption>();
        SearchCounts counts = default;
        foreach (Workload work in request.Variants(kind.Device).Where(work => work.Exchange == rule))
        {
            (List<FleetOption> variant, SearchCounts variantCounts) =
                FastestLayouts.Of(request, kind.Device, kind.Price.PerHour!.Value, work);
            fleets.AddRange(variant);
            counts += variantCounts;
        }

        return (fleets, counts);
    }

    private MixedPlan? Pairs(double bestCost)
    {
        double[] minCosts = [.. _fleets.Select(kind => kind.Select(MinCost).DefaultIfEmpty(double.PositiveInfinity).Min())];
        MixedPlan? best = null;
        for (int i = 0; i < _fleets.Length; i++)
        {
            for (int j = i + 1; j < _fleets.Length; j++)
            {
                if (_prunes && Math.Min(minCosts[i], minCosts[j]) >= bestCost)
                {
                    _pruned++;
                    continue;
                }

                if (BestPair(i, j, bestCost) is { } plan)
                {
                    (best, bestCost) = (plan, plan.Cost);
                }
            }
        }

        return best;
    }

    /// <summary>Returns the cheapest plan on two kinds below a cost; null if there is none.</summary>
    private MixedPlan? BestPair(int i, int j, double bestCost)
    {
        MixedPlan? best = null;
        foreach (FleetOption first in _fleets[i])
        {
            foreach (FleetOption second in _fleets[j])
            {
                if (_prunes && !MayWin(first, second, bestCost))
                {
                    continue;
                }

                _evaluated++;
                if (Share(first, second, _kinds[i].Price, _kinds[j].Price) is { } plan && plan.Cost < bestCost
                    && plan.Days <= _request.DeadlineDays)
                {
                    (best, bestCost) = (plan, plan.Cost);
                }
            }
        }

        return best;
    }

    /// <summary>
    /// Returns false if two fleets would miss the cost or the deadline even if both finished at the same time without failures.
    /// </summary>
    private bool MayWin(FleetOption first, FleetOption second, double bestCost)
    {
        double seconds = _steps * first.Seconds(BalancedSequences(first, second));
        return seconds / 3600 * (first.HourlyCost + second.HourlyCost) < bestCost && seconds / 86400 <= _request.DeadlineDays;
    }

    /// <summary>Returns the sequences of the first fleet for which both fleets finish at the same time.</summary>
    private double BalancedSequences(FleetOption first, FleetOption second) =>
        (second.Seconds(_work.SequencesPerStep) - first.Seconds(0))
        / (first.RoundSeconds / first.SequencesPerRound + second.RoundSeconds / second.SequencesPerRound);

    /// <summary>Returns the cost of a run at the rate of the micro-batches of a fleet, without fixed times and failures.</summary>
    private double MinCost(FleetOption fleet) =>
        _steps * _work.SequencesPerStep / fleet.SequencesPerRound * fleet.RoundSeconds / 3600 * fleet.HourlyCost;

    /// <summary>
    /// Shares the sequences so that both fleets finish at nearly the same time, in whole micro-batches of both. Returns null if one fleet
    /// could take all sequences. Both quanta divide the update, so the share of the first fleet is a multiple of both.
    /// </summary>
    private MixedPlan? Share(FleetOption first, FleetOption second, HourlyPrice firstPrice, HourlyPrice secondPrice)
    {
        int total = _work.SequencesPerStep;
        int quantum = first.Quantum / (int)BigInteger.GreatestCommonDivisor(first.Quantum, second.Quantum) * second.Quantum;
        double balanced = BalancedSequences(first, second) / quantum;
        bool hasIslands = _work.Exchange != ExchangeRule.EveryStep;
        double exchange = hasIslands ? 0 : ExchangeSeconds(first, second);
        MixedPlan? best = null;
        foreach (double shares in (ReadOnlySpan<double>)[Math.Floor(balanced), Math.Ceiling(balanced)])
        {
            double firstShare = shares * quantum, secondShare = total - firstShare;
            if (firstShare <= 0 || secondShare <= 0)
            {
                continue;
            }

            double slower = Math.Max(first.Seconds(firstShare), second.Seconds(secondShare));
            double step = slower + (hasIslands ? SyncWait(first.Layout, second.Layout, slower) : exchange);
            double goodput = MixedFleet.GoodputOf(_request, first.Device, first.Layout.Devices, second.Device, second.Layout.Devices);
            var plan = new MixedPlan(
                hasIslands ? MixedMode.Islands : MixedMode.Replicas,
                new MixedPart(first.Device, firstPrice, first.Layout.Devices, first.Layout, first.Work, firstShare, []),
                new MixedPart(second.Device, secondPrice, second.Layout.Devices, second.Layout, second.Work, secondShare, []),
                step, exchange, _steps * step / goodput);
            if (best is null || plan.Cost < best.Cost)
            {
                best = plan;
            }
        }

        return best;
    }

    private double SyncWait(in Layout first, in Layout second, double seconds) => StepModel.SyncWait(
        first.Islands + second.Islands, Math.Max(first.Devices / first.Islands, second.Devices / second.Islands), _work.Stragglers,
        seconds);

    /// <summary>
    /// Returns the time of the gradient exchange between kinds, once per step over the slower network: an all-reduce of two, in which each
    /// device sends its shard once. The exchange is exposed, because it follows the reduction inside each kind, which overlaps with
    /// backward.
    /// </summary>
    private double ExchangeSeconds(FleetOption first, FleetOption second)
    {
        double Traffic(FleetOption fleet) =>
            _work.ReducedGradientBytes * StageWeights.Of(_work.Model, fleet.Layout).Shard(fleet.Layout) / fleet.InterBytesPerSecond;
        return Collectives.StartSeconds + Math.Max(Traffic(first), Traffic(second));
    }
}
