namespace Lingotto.Planning;

/// <summary>
/// Simulates a pipeline pass by pass. Each stage runs its passes in the order of 1F1B (interleaved if there are several chunks, as in
/// Megatron-LM). A pass starts when its stage is free and its input has arrived.
/// </summary>
public sealed class PipelineSimulation
{
    private readonly double[] _forward, _backward;
    private readonly int _chunks, _microBatches;
    private readonly double _transfer;
    private readonly double[,,] _ends; // [direction, virtual stage, micro-batch]
    private readonly List<TimelineSpan> _spans = [];

    private PipelineSimulation(double[] forward, double[] backward, int chunks, int microBatches, double transfer)
    {
        _forward = forward;
        _backward = backward;
        _chunks = chunks;
        _microBatches = microBatches;
        _transfer = transfer;
        _ends = new double[2, forward.Length * chunks, microBatches];
    }

    /// <summary>Simulates one update.</summary>
    /// <param name="forwardSeconds">Forward of a micro-batch on each stage, all chunks together.</param>
    /// <param name="backwardSeconds">Backward of a micro-batch on each stage, all chunks together.</param>
    /// <param name="microBatches">Micro-batches, m; with several chunks a multiple of the stages.</param>
    /// <param name="chunks">Chunks per stage, v.</param>
    /// <param name="transferSeconds">Time of a transfer between two stages, overlapped with computation, s.</param>
    /// <exception cref="PlanException">The interleaved schedule needs micro-batches in a multiple of the stages.</exception>
    public static IReadOnlyList<TimelineSpan> Run(
        IReadOnlyList<double> forwardSeconds, IReadOnlyList<double> backwardSeconds, int microBatches, int chunks = 1,
        double transferSeconds = 0)
    {
        if (chunks > 1 && microBatches % forwardSeconds.Count != 0)
        {
            throw new PlanException(
                $"{microBatches} micro-batches on {forwardSeconds.Count} interleaved stages: give a multiple of the stages");
        }

        var simulation = new PipelineSimulation([.. forwardSeconds], [.. backwardSeconds], chunks, microBatches, transferSeconds);
        simulation.Simulate();
        return simulation._spans;
    }

    private void Simulate()
    {
        int stages = _forward.Length;
        List<(bool IsForward, int Chunk, int MicroBatch)>[] orders = [.. Enumerable.Range(0, stages).Select(Order)];
        var next = new int[stages];
        var free = new double[stages];
        for (bool moved = true; moved;)
        {
            moved = false;
            for (int stage = 0; stage < stages; stage++)
            {
                while (next[stage] < orders[stage].Count && Ready(orders[stage][next[stage]], stage) is { } ready)
                {
                    (bool isForward, int chunk, int microBatch) = orders[stage][next[stage]++];
                    double start = Math.Max(free[stage], ready);
                    free[stage] = start + (isForward ? _forward : _backward)[stage] / _chunks;
                    _ends[isForward ? 0 : 1, chunk * stages + stage, microBatch] = free[stage];
                    _spans.Add(new TimelineSpan(stage, isForward ? "forward" : "backward", microBatch, start, free[stage]));
                    moved = true;
                }
            }
        }
    }

    /// <summary>Returns when the input of a pass arrives, s; null if the pass before has not been simulated yet.</summary>
    private double? Ready((bool IsForward, int Chunk, int MicroBatch) pass, int stage)
    {
        int stages = _forward.Length, place = pass.Chunk * stages + stage, last = stages * _chunks - 1;
        if (pass.IsForward && place == 0)
        {
            return 0;
        }

        (int direction, int needed) = pass.IsForward ? (0, place - 1) : place == last ? (0, last) : (1, place + 1);
        double end = _ends[direction, needed, pass.MicroBatch];
        return end == 0 ? null : end + (needed == place ? 0 : _transfer);
    }

    /// <summary>
    /// Returns the order of passes of a stage: warm-up forwards, then forward and backward in turn, then the remaining backwards.
    /// </summary>
    private List<(bool IsForward, int Chunk, int MicroBatch)> Order(int stage)
    {
        int stages = _forward.Length, passes = _microBatches * _chunks;
        int warmUp = Math.Min(passes, _chunks == 1 ? stages - stage - 1 : 2 * (stages - stage - 1) + (_chunks - 1) * stages);
        var order = new List<(bool, int, int)>();
        for (int i = 0; i < warmUp; i++)
        {
            order.Add(Pass(i, isForward: true));
        }

        for (int i = warmUp; i < passes; i++)
        {
            order.Add(Pass(i, isForward: true));
            order.Add(Pass(i - warmUp, isForward: false));
        }

        for (int i = passes - warmUp; i < passes; i++)
        {
            order.Add(Pass(i, isForward: false));
        }

        return order;
    }

    /// <summary>
    /// Returns a pass by its index. Chunks alternate after as many micro-batches as there are stages; backward begins with the last chunk.
    /// </summary>
    private (bool IsForward, int Chunk, int MicroBatch) Pass(int index, bool isForward)
    {
        if (_chunks == 1)
        {
            return (isForward, 0, index);
        }

        int stages = _forward.Length, round = stages * _chunks;
        int chunk = index % round / stages;
        return (isForward, isForward ? chunk : _chunks - 1 - chunk, index / round * stages + index % stages);
    }
}
