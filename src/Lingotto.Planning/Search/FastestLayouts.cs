namespace Lingotto.Planning;

/// <summary>Finds the fastest layout for every number of devices of one kind.</summary>
internal sealed class FastestLayouts
{
    private readonly Workload _work;
    private readonly DeviceRates _rates;
    private readonly SortedDictionary<int, (double Seconds, Layout Layout)> _best = [];
    private double _tau;
    private long _evaluated, _skipped;

    private FastestLayouts(Workload work, in DeviceRates rates)
    {
        _work = work;
        _rates = rates;
    }

    /// <summary>Returns the fleets, ordered by number of devices. A fleet that is no faster than a smaller fleet is left out.</summary>
    public static (List<FleetOption> Fleets, SearchCounts Counts) Of(
        PlanRequest request, EstimatedDevice device, double price, Workload work)
    {
        DeviceRates rates = device.Rates(work.Precision, request.SoftwareYear);
        var search = new FastestLayouts(work, rates);
        int limit = request.Limit(device.Spec);
        var visitor = new Visitor(search);
        var space = new LayoutSpace(request, work, rates.NodeDevices, limit);
        long refused = LayoutWalk.Run(work, space, rates.NodeDevices, limit, ref visitor);
        return (search.Fleets(device, price), new SearchCounts(search._evaluated, search._skipped, refused, 0, 0));
    }

    private List<FleetOption> Fleets(EstimatedDevice device, double price)
    {
        var fleets = new List<FleetOption>();
        double fastest = double.PositiveInfinity;
        foreach ((double seconds, Layout layout) in _best.Values)
        {
            if (seconds >= fastest)
            {
                continue;
            }

            fastest = seconds;
            fleets.Add(new FleetOption(device, layout, _work, _rates, price));
        }

        return fleets;
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
        {
            return;
        }

        double seconds = StepModel.Evaluate(_work, layout, _rates).Total;
        if (best.Seconds == 0 || seconds < best.Seconds)
        {
            _best[layout.Devices] = (seconds, layout);
        }
    }

    private readonly struct Visitor(FastestLayouts search) : ILayoutVisitor
    {
        public bool Enters(in Layout branch) => search.Enters(branch);

        public void Visit(in Layout layout) => search.Visit(layout);
    }
}
