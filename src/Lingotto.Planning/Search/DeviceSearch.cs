namespace Lingotto.Planning;

/// <summary>
/// The cheapest plan on one kind of device, by branch and bound. A branch fixes t, c, p, v, b, e and recomputation and with them tau;
/// whatever D, ZeRO and schedule follow, the run costs at least steps * (B/b) * t*c*p * tau * price, for waiting, traffic and
/// failures only add. Branches whose bound is not below the best are cut; the optimum under the model is exact within the space.
/// </summary>
public sealed class DeviceSearch
{
    private readonly PlanRequest _request;
    private readonly DeviceEstimate _device;
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
    private int _leastDaysDevices;
    private double _leastMemory = double.PositiveInfinity, _leastDays = double.PositiveInfinity;

    private DeviceSearch(PlanRequest request, DeviceEstimate device, double price, Workload work, bool prunes)
    {
        _request = request;
        _device = device;
        _price = price;
        _prunes = prunes;
        _work = work;
        _rates = device.Rates(work.Precision, request.SoftwareYear);
        _space = new LayoutSpace(request, work, _rates.NodeDevices, request.Limit(device.Device));
        _steps = request.StepsOf(work);
        _bestCost = double.PositiveInfinity;
    }

    /// <summary>Searches; <paramref name="prunes"/> off looks at everything.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="device">The kind.</param>
    /// <param name="price">Of an hour.</param>
    /// <param name="work">The workload in one of <see cref="PlanRequest.Variants"/>.</param>
    /// <param name="prunes">Cut branches by their bound.</param>
    public static DeviceAnswer Run(PlanRequest request, DeviceEstimate device, double price, Workload work, bool prunes = true)
    {
        var search = new DeviceSearch(request, device, price, work, prunes);
        var visitor = new Visitor(search);
        if (request.Layout is { } only)
            search.VisitOnly(only);
        else
            search._refused = LayoutWalk.Run(search._work, search._space, search._rates.NodeDevices, request.Limit(device.Device), ref visitor);
        DeviceAnswer answer = search.Answer();
        return answer.Plan is null && double.IsFinite(request.Budget) ? OverBudget(request, device, price, work, prunes) : answer;
    }

    /// <summary>Branches above the budget were cut, so what the cheapest costs takes a search without one.</summary>
    private static DeviceAnswer OverBudget(PlanRequest request, DeviceEstimate device, double price, Workload work, bool prunes)
    {
        DeviceAnswer free = Run(request with { Budget = double.PositiveInfinity }, device, price, work, prunes);
        return free.Plan is { } plan
            ? free with { Plan = null, Reason = FormattableString.Invariant($"over the budget: the cheapest costs {plan.Cost:N0} {request.Currency}: raise --budget to it") }
            : free;
    }

    private DeviceAnswer Answer()
    {
        var counts = new SearchCounts(_evaluated, _pruned, _refused, _tooLarge, _tooLate);
        if (double.IsPositiveInfinity(_bestCost))
            return new DeviceAnswer(_device, null, Reason(), counts);
        return new DeviceAnswer(_device, Make(_best), null, counts);
    }

    private string Reason()
    {
        if (_refusal is not null)
            return _refusal;
        int limit = _request.Limit(_device.Device);
        string more = _request.Layout is not null ? "change --layout" : limit < _request.MaxDevices ? "raise --stock" : "raise --max-devices";
        if (_leastDays > _request.DeadlineDays && double.IsFinite(_leastDays))
            return FormattableString.Invariant($"misses the deadline: {Math.Ceiling(10 * _leastDays) / 10:F1} days at best, on {_leastDaysDevices} devices: raise --deadline to it{(_request.Layout is not null || _leastDaysDevices > limit / 2 ? $", or {more}" : "")}");
        return double.IsFinite(_leastMemory)
            ? FormattableString.Invariant($"does not fit: {_leastMemory / 1e9:F0} GB needed on a device of {_rates.MemoryBytes / 1e9:F0} GB at best: {more}, for more of them hold less each")
            : FormattableString.Invariant($"no layout obeys the rules on {limit} devices: {more}, or change --sequences, which replicas share");
    }

    private Plan Make(in Layout layout)
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
            Goodput = Useful(layout.Devices),
            PricePerHour = _price,
            Mfu = _work.Model.FlopsPerToken(_work.SequenceLength) * _work.TokensPerStep / (step.Total * layout.Devices * _rates.PeakFlops),
        };
    }

    private double Useful(int devices) =>
        Goodput.BestShare(devices, _request.FailuresPerDeviceHour ?? _device.FailuresPerDeviceHour, _request.SaveSeconds, _request.RestartSeconds);

    private bool Enters(in Layout branch)
    {
        double tau = StepModel.MicroBatchSeconds(_work, branch, _rates);
        double devices = branch.Tensor * branch.Context * branch.Pipeline;
        double bound = _steps * _work.SequencesPerStep / branch.MicroBatch * devices * tau / 3600 * _price;
        if (!_prunes || bound < Math.Min(_bestCost, _request.Budget))
            return true;
        _pruned++;
        return false;
    }

    private void VisitOnly(in Layout layout)
    {
        int limit = _request.Limit(_device.Device);
        _refusal = layout.Islands > 1 && _work.Exchange == ExchangeRule.EveryStep ? "islands exchange by the clock: give --sync edit"
            : layout.Devices > limit ? FormattableString.Invariant($"the layout takes {layout.Devices} devices, there are {limit}: raise {(limit < _request.MaxDevices ? "--stock" : "--max-devices")}")
            : LayoutRules.Refusal(_work, layout, _rates.NodeDevices);
        if (_refusal is null)
            Visit(layout);
        else
            _refused++;
    }

    private void Visit(in Layout layout)
    {
        _evaluated++;
        double memory = MemoryModel.Peak(_work, layout).Total;
        if (memory > _rates.MemoryBytes)
        {
            _leastMemory = Math.Min(_leastMemory, memory);
            _tooLarge++;
            return;
        }

        double seconds = _steps * StepModel.Evaluate(_work, layout, _rates).Total / Useful(layout.Devices);
        double cost = layout.Devices * seconds / 3600 * _price;
        if (seconds / 86400 < _leastDays)
            (_leastDays, _leastDaysDevices) = (seconds / 86400, layout.Devices);
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
