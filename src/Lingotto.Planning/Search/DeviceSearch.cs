using Lingotto.Reporting;

namespace Lingotto.Planning;

/// <summary>
/// Finds the cheapest plan on one kind of device by branch and bound. A branch fixes t, c, p, v, b, e and recomputation, and thereby tau.
/// For every D, ZeRO stage and schedule the run costs at least steps * (B/b) * t*c*p * tau * price, because waiting, traffic and failures
/// only add cost. Branches whose bound is not below the best plan are cut, so the optimum under the model is exact within the space.
/// </summary>
internal sealed class DeviceSearch
{
    private readonly PlanRequest _request;
    private readonly EstimatedDevice _device;
    private readonly Workload _work;
    private readonly DeviceRates _rates;
    private readonly LayoutSpace _space;
    private readonly double _steps;
    private readonly double _price;
    private readonly bool _prunes;
    private long _evaluated, _pruned, _refused, _tooLarge, _tooLate;
    private double _bestCost;
    private Layout _best;
    private string? _refusal;
    private int _minDaysDevices;
    private double _minMemory = double.PositiveInfinity, _minDays = double.PositiveInfinity;

    private DeviceSearch(PlanRequest request, EstimatedDevice device, double price, Workload work, bool prunes)
    {
        _request = request;
        _device = device;
        _price = price;
        _prunes = prunes;
        _work = work;
        _rates = device.Rates(work.Precision, request.SoftwareYear);
        _space = new LayoutSpace(request, work, _rates.NodeDevices, request.Limit(device.Spec));
        _steps = request.StepsOf(work);
        _bestCost = double.PositiveInfinity;
    }

    /// <summary>Runs the search.</summary>
    /// <param name="request">The request.</param>
    /// <param name="device">The kind of device.</param>
    /// <param name="price">Price of a device and hour.</param>
    /// <param name="work">The workload, one of <see cref="PlanRequest.Variants"/>.</param>
    /// <param name="prunes">False to evaluate every layout instead of cutting branches by their bound.</param>
    public static SearchOutcome Run(PlanRequest request, EstimatedDevice device, double price, Workload work, bool prunes = true)
    {
        var search = new DeviceSearch(request, device, price, work, prunes);
        var visitor = new Visitor(search);
        if (request.Layout is { } only)
        {
            search.VisitOnly(only);
        }
        else
        {
            search._refused = LayoutWalk.Run(
                search._work, search._space, search._rates.NodeDevices, request.Limit(device.Spec), ref visitor);
        }

        SearchOutcome outcome = search.Outcome();
        return outcome.Plan is null && double.IsFinite(request.Budget) ? OverBudget(request, device, price, work, prunes) : outcome;
    }

    /// <summary>
    /// Searches again without a budget to tell what the cheapest plan costs, because branches above the budget were cut.
    /// </summary>
    private static SearchOutcome OverBudget(PlanRequest request, EstimatedDevice device, double price, Workload work, bool prunes)
    {
        SearchOutcome free = Run(request with { Budget = double.PositiveInfinity }, device, price, work, prunes);
        return free.Plan is not { } plan ? free : free with
        {
            Plan = null,
            Reason = $"over the budget: the cheapest plan costs {NumberText.Money(plan.Cost, request.Currency)}: raise --budget to it",
        };
    }

    private SearchOutcome Outcome()
    {
        var counts = new SearchCounts(_evaluated, _pruned, _refused, _tooLarge, _tooLate);
        return double.IsPositiveInfinity(_bestCost)
            ? new SearchOutcome(null, Reason(), counts) : new SearchOutcome(PlanOf(_best), null, counts);
    }

    private string Reason()
    {
        if (_refusal is not null)
        {
            return _refusal;
        }

        int limit = _request.Limit(_device.Spec);
        string more = _request.Layout is not null ? "change --layout" : limit < _request.MaxDevices ? "raise --stock"
            : "raise --max-devices";
        if (_minDays > _request.DeadlineDays && double.IsFinite(_minDays))
        {
            string orMore = _request.Layout is not null || _minDaysDevices > limit / 2 ? $", or {more}" : "";
            return FormattableString.Invariant($"misses the deadline: the fastest plan takes {Math.Ceiling(10 * _minDays) / 10:F1} days ")
                + FormattableString.Invariant($"on {_minDaysDevices} devices: raise --deadline to it{orMore}");
        }

        return double.IsFinite(_minMemory)
            ? $"does not fit: the smallest layout needs {NumberText.DecimalBytes(_minMemory)} on a device of "
                + $"{NumberText.DecimalBytes(_rates.MemoryBytes)}: {more}, because more devices hold less each"
            : FormattableString.Invariant($"no layout obeys the rules on {limit} devices: {more}, ")
                + "or change --sequences, which replicas share";
    }

    private Plan PlanOf(in Layout layout)
    {
        StepTime step = StepModel.Evaluate(_work, layout, _rates);
        return new Plan
        {
            Device = _device,
            Layout = layout,
            Work = _work,
            Step = step,
            Memory = MemoryModel.Peak(_work, layout),
            Steps = _steps,
            Goodput = GoodputOf(layout.Devices),
            PricePerHour = _price,
            Mfu = _work.Model.FlopsPerToken(_work.SequenceLength) * _work.TokensPerStep / (step.Total * layout.Devices * _rates.PeakFlops),
        };
    }

    private double GoodputOf(int devices) => Goodput.BestShare(
        devices, _request.FailuresPerDeviceHour ?? _device.FailuresPerDeviceHour, _request.SaveSeconds, _request.RestartSeconds);

    private bool Enters(in Layout branch)
    {
        double tau = StepModel.MicroBatchSeconds(_work, branch, _rates);
        double devices = branch.Tensor * branch.Context * branch.Pipeline;
        double bound = _steps * _work.SequencesPerStep / branch.MicroBatch * devices * tau / 3600 * _price;
        if (!_prunes || bound < Math.Min(_bestCost, _request.Budget))
        {
            return true;
        }

        _pruned++;
        return false;
    }

    private void VisitOnly(in Layout layout)
    {
        int limit = _request.Limit(_device.Spec);
        string more = limit < _request.MaxDevices ? "--stock" : "--max-devices";
        _refusal = layout.Islands > 1 && _work.Exchange == ExchangeRule.EveryStep ? "islands need time-based sync: give --sync edit"
            : layout.Devices > limit
                ? FormattableString.Invariant($"the layout needs {layout.Devices} devices, there are {limit}: raise {more}")
            : LayoutRules.Refusal(_work, layout, _rates.NodeDevices);
        if (_refusal is null)
        {
            Visit(layout);
        }
        else
        {
            _refused++;
        }
    }

    private void Visit(in Layout layout)
    {
        _evaluated++;
        double memory = MemoryModel.Peak(_work, layout).Total;
        if (memory > _rates.MemoryBytes)
        {
            _minMemory = Math.Min(_minMemory, memory);
            _tooLarge++;
            return;
        }

        double seconds = _steps * StepModel.Evaluate(_work, layout, _rates).Total / GoodputOf(layout.Devices);
        double cost = layout.Devices * seconds / 3600 * _price;
        if (seconds / 86400 < _minDays)
        {
            (_minDays, _minDaysDevices) = (seconds / 86400, layout.Devices);
        }

        if (seconds / 86400 > _request.DeadlineDays)
        {
            _tooLate++;
            return;
        }

        if (cost < _bestCost && cost <= _request.Budget)
        {
            _bestCost = cost;
            _best = layout;
        }
    }

    private readonly struct Visitor(DeviceSearch search) : ILayoutVisitor
    {
        public bool Enters(in Layout branch) => search.Enters(branch);

        public void Visit(in Layout layout) => search.Visit(layout);
    }
}
