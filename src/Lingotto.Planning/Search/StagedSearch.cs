namespace Lingotto.Planning;

/// <summary>
/// The cheapest pipeline whose first stages are of one kind of device and whose last of another, all of the same width t*c*D, under
/// plain 1F1B with layers split by <see cref="LayerSplit"/>, moved on where memory is full. With p_k stages of kind k and tau_k a layer of a
/// micro-batch, no stage is faster than L/(p_1/tau_1 + p_2/tau_2) whatever D: what a run costs at that rate, and how long it takes on all
/// devices that there are, bound a branch from below; (m - 1) * max of the best split + all layers on the faster kind bounds every D
/// on it. The optimum is exact within the space for the splits that <see cref="LayerSplit"/> chooses, by the time of a layer alone.
/// </summary>
internal sealed class StagedSearch
{
    private readonly PlanRequest _request;
    private readonly Workload _work;
    private readonly (DeviceEstimate Device, HourlyPrice Price) _first, _second;
    private readonly DeviceRates _firstRates, _secondRates;
    private readonly LayoutSpace _firstSpace, _secondSpace;
    private readonly double _steps;
    private readonly bool _prunes;
    private double _bestCost;
    private MixedPlan? _best;
    private long _evaluated, _pruned, _refused, _tooLarge, _tooLate;

    private StagedSearch(
        PlanRequest request, Workload work, (DeviceEstimate Device, HourlyPrice Price) first, (DeviceEstimate Device, HourlyPrice Price) second,
        double bestCost, bool prunes)
    {
        (_request, _work, _first, _second, _bestCost, _prunes) = (request, work, first, second, bestCost, prunes);
        _firstRates = first.Device.Rates(work.Precision, request.SoftwareYear);
        _secondRates = second.Device.Rates(work.Precision, request.SoftwareYear);
        _firstSpace = new LayoutSpace(request, work, _firstRates.NodeDevices, request.Limit(first.Device.Device));
        _secondSpace = new LayoutSpace(request, work, _secondRates.NodeDevices, request.Limit(second.Device.Device));
        _steps = request.StepsOf(work);
    }

    /// <summary>Searches every ordered pair of kinds; each starts from the same best, so threads do not change the result.</summary>
    public static (MixedPlan? Plan, SearchCounts Counts) Run(
        PlanRequest request, IReadOnlyList<(DeviceEstimate Device, HourlyPrice Price)> kinds, double bestCost, bool prunes, CancellationToken cancellation)
    {
        StagedSearch[] searches =
        [
            .. from first in kinds
               from second in kinds
               where first.Device != second.Device
               from work in request.Variants(first.Device)
               where work.Exchange == ExchangeRule.EveryStep && (work.Precision == Precision.Bf16 || second.Device.HasFp8)
               select new StagedSearch(request, work, first, second, bestCost, prunes),
        ];
        Parallel.ForEach(searches, new ParallelOptions { CancellationToken = cancellation }, search => search.Branches());
        SearchCounts counts = searches.Aggregate(default(SearchCounts), (sum, search) => sum + search.Counts);
        return (searches.Select(search => search._best).Where(plan => plan is not null).MinBy(plan => plan!.Cost), counts);
    }

    private SearchCounts Counts => new(_evaluated, _pruned, _refused, _tooLarge, _tooLate);

    private void Branches()
    {
        foreach (Recompute recompute in _firstSpace.Recompute)
            foreach (int microBatch in _firstSpace.MicroBatch)
                foreach (int context in _firstSpace.Context)
                    foreach (int tensor in _firstSpace.Tensor.Intersect(_secondSpace.Tensor))
                        foreach (int expert in _firstSpace.Expert.Intersect(_secondSpace.Expert))
                        {
                            Stages(new Layout
                            {
                                Devices = 0,
                                Tensor = tensor,
                                Context = context,
                                Expert = expert,
                                MicroBatch = microBatch,
                                Recompute = recompute,
                            });
                        }
    }

    private void Stages(in Layout branch)
    {
        bool isMoe = _work.Model.MoeLayers > 0;
        double onFirst = StagedPipeline.SecondsPerLayer(_work, branch, _firstRates, isMoe);
        double onSecond = StagedPipeline.SecondsPerLayer(_work, branch, _secondRates, isMoe);
        double head = StagedPipeline.HeadSeconds(_work, branch, _secondRates) * (1 + _work.Model.PredictLayers);
        int layers = isMoe ? _work.Model.MoeLayers : _work.Model.DenseLayers; // dense layers before experts are left out of the bounds
        int width = branch.Tensor * branch.Context;
        double heldByLayers = layers * (2 + _work.GradientBytes) * StageWeights.Of(_work.Model, branch, 1, matrices: 0).Whole;
        foreach (int first in _firstSpace.Pipeline)
        {
            foreach (int second in _secondSpace.Pipeline)
            {
                int mostData = Math.Min(
                    _request.Limit(_first.Device.Device) / (first * width), _request.Limit(_second.Device.Device) / (second * width));
                if (first + second > _work.Model.Layers || mostData == 0)
                    continue;
                double slowest = layers / (first / onFirst + second / onSecond);
                double perHour = first * _first.Price.PerHour!.Value + second * _second.Price.PerHour!.Value;
                double rounds = _steps * _work.SequencesPerStep / branch.MicroBatch;
                if (_prunes && (rounds * width * slowest / 3600 * perHour >= _bestCost
                    || rounds / mostData * slowest / 86400 > _request.DeadlineDays
                    || heldByLayers > first * _firstRates.MemoryBytes + second * _secondRates.MemoryBytes))
                {
                    _pruned++;
                    continue;
                }

                Split(branch with { Pipeline = first + second }, first, mostData, onFirst, onSecond, head);
            }
        }
    }

    /// <summary>Layers to stages by speed, then every D.</summary>
    private void Split(in Layout branch, int firstStages, int mostData, double onFirst, double onSecond, double head)
    {
        double[] perLayer = [.. Enumerable.Range(0, branch.Pipeline).Select(stage => stage < firstStages ? onFirst : onSecond)];
        var others = new double[branch.Pipeline];
        others[^1] = head;
        var layers = new int[branch.Pipeline];
        LayerSplit.Balance(perLayer, others, _work.Model.Layers, layers);
        PipelineStage[] stages = [.. layers.Select((count, stage) => new PipelineStage(stage < firstStages ? _firstRates : _secondRates, count))];
        // Dense layers stand first and may be lighter than those with experts, so that bounds count them for nothing.
        int dense = _work.Model.MoeLayers > 0 ? _work.Model.DenseLayers : 0;
        double slowest = 0, all = (_work.Model.Layers - dense) * Math.Min(onFirst, onSecond) + head;
        for (int stage = 0; stage < layers.Length; stage++)
            slowest = Math.Max(slowest, Math.Max(0, layers[stage] - dense) * perLayer[stage] + others[stage]);
        foreach (int data in _firstSpace.Data.TakeWhile(data => data <= mostData))
        {
            Layout layout = branch with { Devices = branch.Pipeline * branch.Tensor * branch.Context * data };
            if (Enters(layout, firstStages, slowest, all) && Fit(layout, stages, perLayer, others) is { } held)
                Visit(layout, firstStages, held);
        }
    }

    /// <summary>False for fleets that nobody rents, layouts that break a rule, and those whose bound is not below the best.</summary>
    private bool Enters(in Layout layout, int firstStages, double slowest, double all)
    {
        (int firstDevices, int secondDevices) = Devices(layout, firstStages);
        if (!IsRentable(firstDevices, _first.Device, _firstRates) || !IsRentable(secondDevices, _second.Device, _secondRates))
            return false;
        double microBatches = _work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        double least = _steps * ((microBatches - 1) * slowest + all);
        if (_prunes && (least / 3600 * Hourly(firstDevices, secondDevices) >= _bestCost || least / 86400 > _request.DeadlineDays))
        {
            _pruned++;
            return false;
        }

        if (LayoutRules.BrokenBesidesStages(_work, layout, Math.Min(_firstRates.NodeDevices, _secondRates.NodeDevices)) == LayoutRule.None)
            return true;
        _refused++;
        return false;
    }

    /// <summary>The stages as they are, or with layers moved away from those whose memory they exceed; null where all are full.</summary>
    private PipelineStage[]? Fit(in Layout layout, PipelineStage[] stages, double[] perLayer, double[] others)
    {
        _evaluated++;
        if (Holds(layout, stages))
            return stages;
        var most = new int[stages.Length];
        for (int stage = 0; stage < stages.Length; stage++)
            most[stage] = StagedPipeline.MostLayers(_work, layout, stages[stage].Rates, stage);
        var layers = new int[stages.Length];
        if (most.Min() >= 1 && LayerSplit.Balance(perLayer, others, _work.Model.Layers, layers, most))
        {
            PipelineStage[] moved = [.. stages.Zip(layers, (stage, count) => stage with { Layers = count })];
            if (Holds(layout, moved))
                return moved;
        }

        _tooLarge++;
        return null;
    }

    private bool Holds(in Layout layout, PipelineStage[] stages)
    {
        MemoryNeed need = StagedPipeline.Peak(_work, layout, stages);
        return need.Total <= stages[need.Stage].Rates.MemoryBytes;
    }

    private void Visit(in Layout layout, int firstStages, PipelineStage[] stages)
    {
        (int firstDevices, int secondDevices) = Devices(layout, firstStages);
        double step = StagedPipeline.Evaluate(_work, layout, stages).Total;
        double seconds = _steps * step / MixedFleet.Useful(_request, _first.Device, firstDevices, _second.Device, secondDevices);
        double cost = seconds / 3600 * Hourly(firstDevices, secondDevices);
        if (seconds / 86400 > _request.DeadlineDays)
        {
            _tooLate++;
            return;
        }

        if (cost >= _bestCost)
            return;
        _bestCost = cost;
        _best = new MixedPlan(
            MixedWay.Stages, Part(_first, firstDevices, layout, stages[..firstStages]), Part(_second, secondDevices, layout, stages[firstStages..]),
            step, 0, seconds);
    }

    private static (int First, int Second) Devices(in Layout layout, int firstStages)
    {
        int width = layout.Devices / layout.Pipeline;
        return (firstStages * width, layout.Devices - firstStages * width);
    }

    private double Hourly(int firstDevices, int secondDevices) =>
        firstDevices * _first.Price.PerHour!.Value + secondDevices * _second.Price.PerHour!.Value;

    private MixedPart Part((DeviceEstimate Device, HourlyPrice Price) kind, int devices, in Layout layout, PipelineStage[] stages) =>
        new(kind.Device, kind.Price, devices, layout, _work, _work.SequencesPerStep, [.. stages.Select(stage => stage.Layers)]);

    /// <summary>Within stock, and whole nodes.</summary>
    private bool IsRentable(int devices, DeviceEstimate device, in DeviceRates rates) =>
        devices <= _request.Limit(device.Device) && (devices % rates.NodeDevices == 0 || devices <= rates.NodeDevices);
}
