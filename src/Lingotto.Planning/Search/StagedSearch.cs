namespace Lingotto.Planning;

/// <summary>
/// Finds the cheapest pipeline with the first stages on one kind of device and the last stages on another, all of the same width t*c*D,
/// under plain 1F1B. <see cref="LayerSplit"/> splits the layers by speed, and moves layers if memory is full. With p_k stages of kind k
/// and tau_k the time of a layer for a micro-batch, the slowest stage takes at least L/(p_1/tau_1 + p_2/tau_2) for every D. The cost of a
/// run at that rate, and its time on all available devices, are lower bounds of a branch. (m - 1) * max of the best split + all layers on
/// the faster kind is a lower bound for each D. The optimum is exact within the space for the splits that <see cref="LayerSplit"/> chooses.
/// </summary>
internal sealed class StagedSearch
{
    private readonly PlanRequest _request;
    private readonly Workload _work;
    private readonly (EstimatedDevice Device, HourlyPrice Price) _first, _second;
    private readonly DeviceRates _firstRates, _secondRates;
    private readonly LayoutSpace _firstSpace, _secondSpace;
    private readonly double _steps;
    private readonly bool _prunes;
    private double _bestCost;
    private MixedPlan? _best;
    private long _evaluated, _pruned, _refused, _tooLarge, _tooLate;

    private StagedSearch(
        PlanRequest request, Workload work, (EstimatedDevice Device, HourlyPrice Price) first,
        (EstimatedDevice Device, HourlyPrice Price) second,
        double bestCost, bool prunes)
    {
        (_request, _work, _first, _second, _bestCost, _prunes) = (request, work, first, second, bestCost, prunes);
        _firstRates = first.Device.Rates(work.Precision, request.SoftwareYear);
        _secondRates = second.Device.Rates(work.Precision, request.SoftwareYear);
        _firstSpace = new LayoutSpace(request, work, _firstRates.NodeDevices, request.Limit(first.Device.Spec));
        _secondSpace = new LayoutSpace(request, work, _secondRates.NodeDevices, request.Limit(second.Device.Spec));
        _steps = request.StepsOf(work);
    }

    /// <summary>
    /// Searches every ordered pair of kinds. Each search starts from the same best cost, so the number of threads does not change the
    /// result.
    /// </summary>
    public static (MixedPlan? Plan, SearchCounts Counts) Run(
        PlanRequest request, IReadOnlyList<(EstimatedDevice Device, HourlyPrice Price)> kinds, double bestCost, bool prunes,
        CancellationToken cancellation)
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
        Parallel.ForEach(searches, new ParallelOptions { CancellationToken = cancellation }, search => search.SearchBranches());
        SearchCounts counts = searches.Aggregate(default(SearchCounts), (sum, search) => sum + search.Counts);
        return (searches.Select(search => search._best).Where(plan => plan is not null).MinBy(plan => plan!.Cost), counts);
    }

    private SearchCounts Counts => new(_evaluated, _pruned, _refused, _tooLarge, _tooLate);

    private void SearchBranches()
    {
        IEnumerable<Layout> branches =
            from recompute in _firstSpace.Recompute
            from microBatch in _firstSpace.MicroBatch
            from context in _firstSpace.Context
            from tensor in _firstSpace.Tensor.Intersect(_secondSpace.Tensor)
            from expert in _firstSpace.Expert.Intersect(_secondSpace.Expert)
            select new Layout
            {
                Devices = 0,
                Tensor = tensor,
                Context = context,
                Expert = expert,
                MicroBatch = microBatch,
                Recompute = recompute,
            };
        foreach (Layout branch in branches)
        {
            SearchStages(branch);
        }
    }

    private void SearchStages(in Layout branch)
    {
        bool isMoe = _work.Model.MoeLayers > 0;
        double onFirst = StagedPipeline.SecondsPerLayer(_work, branch, _firstRates, isMoe);
        double onSecond = StagedPipeline.SecondsPerLayer(_work, branch, _secondRates, isMoe);
        double head = StagedPipeline.HeadSeconds(_work, branch, _secondRates) * (1 + _work.Model.PredictLayers);
        int layers = isMoe ? _work.Model.MoeLayers : _work.Model.DenseLayers; // the bounds leave out dense layers of an MoE model
        int width = branch.Tensor * branch.Context;
        double heldByLayers = layers * (2 + _work.GradientBytes) * StageWeights.Of(_work.Model, branch, 1, matrices: 0).Whole;
        foreach (int first in _firstSpace.Pipeline)
        {
            foreach (int second in _secondSpace.Pipeline)
            {
                int maxData = Math.Min(
                    _request.Limit(_first.Device.Spec) / (first * width), _request.Limit(_second.Device.Spec) / (second * width));
                if (first + second > _work.Model.Layers || maxData == 0)
                {
                    continue;
                }

                double slowest = layers / (first / onFirst + second / onSecond);
                double perHour = first * _first.Price.PerHour!.Value + second * _second.Price.PerHour!.Value;
                double rounds = _steps * _work.SequencesPerStep / branch.MicroBatch;
                if (_prunes && (rounds * width * slowest / 3600 * perHour >= _bestCost
                    || rounds / maxData * slowest / 86400 > _request.DeadlineDays
                    || heldByLayers > first * _firstRates.MemoryBytes + second * _secondRates.MemoryBytes))
                {
                    _pruned++;
                    continue;
                }

                SearchReplicas(branch with { Pipeline = first + second }, first, maxData, onFirst, onSecond, head);
            }
        }
    }

    /// <summary>Splits layers over stages by speed, then searches every D.</summary>
    private void SearchReplicas(in Layout branch, int firstStages, int maxData, double onFirst, double onSecond, double head)
    {
        double[] perLayer = [.. Enumerable.Range(0, branch.Pipeline).Select(stage => stage < firstStages ? onFirst : onSecond)];
        var fixedSeconds = new double[branch.Pipeline];
        fixedSeconds[^1] = head;
        var layers = new int[branch.Pipeline];
        LayerSplit.Balance(perLayer, fixedSeconds, _work.Model.Layers, layers);
        PipelineStage[] stages =
            [.. layers.Select((count, stage) => new PipelineStage(stage < firstStages ? _firstRates : _secondRates, count))];
        // Dense layers come first and may be faster than layers with experts, so the bounds count them as 0.
        int dense = _work.Model.MoeLayers > 0 ? _work.Model.DenseLayers : 0;
        double slowest = 0, all = (_work.Model.Layers - dense) * Math.Min(onFirst, onSecond) + head;
        for (int stage = 0; stage < layers.Length; stage++)
        {
            slowest = Math.Max(slowest, Math.Max(0, layers[stage] - dense) * perLayer[stage] + fixedSeconds[stage]);
        }

        foreach (int data in _firstSpace.Data.TakeWhile(data => data <= maxData))
        {
            Layout layout = branch with { Devices = branch.Pipeline * branch.Tensor * branch.Context * data };
            if (Enters(layout, firstStages, slowest, all) && Fit(layout, stages, perLayer, fixedSeconds) is { } held)
            {
                Visit(layout, firstStages, held);
            }
        }
    }

    /// <summary>
    /// Returns false for fleets that cannot be rented, layouts that break a rule, and layouts whose bound is not below the best cost.
    /// </summary>
    private bool Enters(in Layout layout, int firstStages, double slowest, double all)
    {
        (int firstDevices, int secondDevices) = Devices(layout, firstStages);
        if (!IsRentable(firstDevices, _first.Device, _firstRates) || !IsRentable(secondDevices, _second.Device, _secondRates))
        {
            return false;
        }

        double microBatches = _work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        double minSeconds = _steps * ((microBatches - 1) * slowest + all);
        if (_prunes && (minSeconds / 3600 * Hourly(firstDevices, secondDevices) >= _bestCost || minSeconds / 86400 > _request.DeadlineDays))
        {
            _pruned++;
            return false;
        }

        int nodeDevices = Math.Min(_firstRates.NodeDevices, _secondRates.NodeDevices);
        if (LayoutRules.BrokenExceptStages(_work, layout, nodeDevices) == LayoutRule.None)
        {
            return true;
        }

        _refused++;
        return false;
    }

    /// <summary>Returns the stages, with layers moved away from stages whose memory is full; null if all stages are full.</summary>
    private PipelineStage[]? Fit(in Layout layout, PipelineStage[] stages, double[] perLayer, double[] fixedSeconds)
    {
        _evaluated++;
        if (FitsMemory(layout, stages))
        {
            return stages;
        }

        var maxLayers = new int[stages.Length];
        for (int stage = 0; stage < stages.Length; stage++)
        {
            maxLayers[stage] = StagedPipeline.MaxLayers(_work, layout, stages[stage].Rates, stage);
        }

        var layers = new int[stages.Length];
        if (maxLayers.Min() >= 1 && LayerSplit.Balance(perLayer, fixedSeconds, _work.Model.Layers, layers, maxLayers))
        {
            PipelineStage[] moved = [.. stages.Zip(layers, (stage, count) => stage with { Layers = count })];
            if (FitsMemory(layout, moved))
            {
                return moved;
            }
        }

        _tooLarge++;
        return null;
    }

    private bool FitsMemory(in Layout layout, PipelineStage[] stages)
    {
        MemoryNeed need = StagedPipeline.Peak(_work, layout, stages);
        return need.Total <= stages[need.Stage].Rates.MemoryBytes;
    }

    private void Visit(in Layout layout, int firstStages, PipelineStage[] stages)
    {
        (int firstDevices, int secondDevices) = Devices(layout, firstStages);
        double step = StagedPipeline.Evaluate(_work, layout, stages).Total;
        double seconds = _steps * step / MixedFleet.GoodputOf(_request, _first.Device, firstDevices, _second.Device, secondDevices);
        double cost = seconds / 3600 * Hourly(firstDevices, secondDevices);
        if (seconds / 86400 > _request.DeadlineDays)
        {
            _tooLate++;
            return;
        }

        if (cost >= _bestCost)
        {
            return;
        }

        _bestCost = cost;
        _best = new MixedPlan(
            MixedMode.Stages, Part(_first, firstDevices, layout, stages[..firstStages]),
            Part(_second, secondDevices, layout, stages[firstStages..]), step, 0, seconds);
    }

    private static (int First, int Second) Devices(in Layout layout, int firstStages)
    {
        int width = layout.Devices / layout.Pipeline;
        return (firstStages * width, layout.Devices - firstStages * width);
    }

    private double Hourly(int firstDevices, int secondDevices) =>
        firstDevices * _first.Price.PerHour!.Value + secondDevices * _second.Price.PerHour!.Value;

    private MixedPart Part((EstimatedDevice Device, HourlyPrice Price) kind, int devices, in Layout layout, PipelineStage[] stages) =>
        new(kind.Device, kind.Price, devices, layout, _work, _work.SequencesPerStep, [.. stages.Select(stage => stage.Layers)]);

    /// <summary>Returns true if a number of devices is within stock and fills whole nodes.</summary>
    private bool IsRentable(int devices, EstimatedDevice device, in DeviceRates rates) =>
        devices <= _request.Limit(device.Spec) && (devices % rates.NodeDevices == 0 || devices <= rates.NodeDevices);
}
