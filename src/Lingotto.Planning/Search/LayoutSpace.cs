namespace Lingotto.Planning;

/// <summary>The values of each dimension of a layout that a request allows.</summary>
internal sealed class LayoutSpace
{
    private const int MaxMicroBatch = 8;

    public LayoutSpace(PlanRequest request, Workload work, int nodeDevices, int maxDevices)
    {
        Recompute = request.Recompute is { } only ? [only] : Enum.GetValues<Recompute>();
        Schedule = request.AllowsZeroBubble ? Enum.GetValues<PipelineSchedule>() : [PipelineSchedule.OneForwardOneBackward];
        ModelShape model = work.Model;
        Tensor = [.. Powers(Math.Min(nodeDevices, model.QueryHeads))];
        Pipeline = [.. Stages(model.Layers).Where(stages => stages <= maxDevices)];
        Context = [.. Powers(Math.Max(1, work.SequenceLength / 8192))];
        Expert = model.MoeLayers == 0 ? [1] : [.. Divisors(model.Experts).Where(ranks => ranks <= maxDevices)];
        MicroBatch = [.. Powers(Math.Min(MaxMicroBatch, work.SequencesPerStep))];
        Islands = work.Exchange == ExchangeRule.EveryStep ? [1] : [.. Powers(maxDevices)];
        Data = [.. Divisors(work.SequencesPerStep).Where(replicas => replicas <= maxDevices)];
    }

    public int[] Tensor { get; }
    public int[] Pipeline { get; }
    public int[] Context { get; }
    public int[] Expert { get; }
    public int[] MicroBatch { get; }
    public int[] Data { get; }
    public int[] Islands { get; }
    public int[] Chunks { get; } = [1, 2, 4];
    public Recompute[] Recompute { get; }
    public ZeroStage[] Zero { get; } = [ZeroStage.Optimizer, ZeroStage.Weights];
    public PipelineSchedule[] Schedule { get; }

    /// <summary>
    /// Returns numbers of stages with different numbers of layers per stage. Of several numbers of stages with the same layers per stage
    /// only the smallest is returned, because more stages would only add waiting.
    /// </summary>
    private static IEnumerable<int> Stages(int layers)
    {
        int last = 0;
        for (int stages = 1; stages <= layers; stages++)
        {
            int each = (layers + stages - 1) / stages;
            if (each != last)
            {
                yield return stages;
            }

            last = each;
        }
    }

    private static IEnumerable<int> Powers(int max)
    {
        for (int power = 1; power <= max; power *= 2)
        {
            yield return power;
        }
    }

    private static IEnumerable<int> Divisors(int number) => Enumerable.Range(1, number).Where(divisor => number % divisor == 0);
}
