namespace Lingotto.Planning;

/// <summary>For every count of a kind of device the layout that is fastest on it: the front of devices against time.</summary>
internal sealed class DeviceFront
{
    private readonly Workload _work;
    private readonly DeviceRates _rates;
    private readonly SortedDictionary<int, (double Seconds, Layout Layout)> _best = [];
    private double _tau;
    private long _evaluated, _skipped;

    private DeviceFront(Workload work, in DeviceRates rates)
    {
        _work = work;
        _rates = rates;
    }

    /// <summary>The options by count; a count that is no faster than a smaller one is left out.</summary>
    public static (List<FleetOption> Options, SearchCounts Counts) Of(PlanRequest request, DeviceEstimate device, double price, Workload work)
    {
        DeviceRates rates = device.Rates(work.Precision, request.SoftwareYear);
        var front = new DeviceFront(work, rates);
        int limit = request.Limit(device.Device);
        var visitor = new Visitor(front);
        long refused = LayoutWalk.Run(work, new LayoutSpace(request, work, rates.NodeDevices, limit), rates.NodeDevices, limit, ref visitor);
        return (front.Options(device, price), new SearchCounts(front._evaluated, front._skipped, refused, 0, 0));
    }

    private List<FleetOption> Options(DeviceEstimate device, double price)
    {
        var options = new List<FleetOption>();
        double fastest = double.PositiveInfinity;
        foreach ((double seconds, Layout layout) in _best.Values)
        {
            if (seconds >= fastest)
                continue;
            fastest = seconds;
            options.Add(new FleetOption(device, layout, _work, _rates, price));
        }

        return options;
    }

    private bool Enters(in Layout branch)
    {
        _tau = StepModel.MicroBatchSeconds(_work, branch, _rates);
        return true;
    }

    private void Visit(in Layout layout)
    {
        double bound = _work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data) * _tau;
        if (_best.TryGetValue(layout.Devices, out (double Seconds, Layout Layout) best) && bound >= best.Seconds)
        {
            _skipped++;
            return;
        }

        _evaluated++;
        if (MemoryModel.Peak(_work, layout).Total > _rates.MemoryBytes)
            return;
        double seconds = StepModel.Evaluate(_work, layout, _rates).Total;
        if (best.Seconds == 0 || seconds < best.Seconds)
            _best[layout.Devices] = (seconds, layout);
    }

    private readonly struct Visitor(DeviceFront front) : ILayoutVisitor
    {
        public bool Enters(in Layout branch) => front.Enters(branch);

        public void Visit(in Layout layout) => front.Visit(layout);
    }
}
