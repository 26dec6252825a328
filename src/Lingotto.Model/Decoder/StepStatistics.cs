using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>
/// The figures of one update, summed on the device over its micro-batches and read back once: losses, router losses, tokens per expert,
/// and the squared norm of each gradient block.
/// </summary>
public sealed class StepStatistics
{
    private readonly Device _device;
    private readonly int _layers, _experts;
    private readonly Tensor _sums;
    private readonly Tensor[] _loads;
    private readonly float[] _host;
    private readonly int[] _zeros;

    internal StepStatistics(Device device, DecoderStage stage, Arena arena)
    {
        _device = device;
        (_layers, _experts) = (stage.MoeLayers.Count(), stage.Config.NumExperts);
        _host = new float[SquaresAt + stage.Blocks.Count];
        _zeros = new int[_experts];
        _sums = arena.Allocate(DType.F32, _host.Length);
        _loads = [.. Enumerable.Range(0, _layers).Select(_ => arena.Allocate(DType.I32, _experts))];
    }

    /// <summary>Sum of the losses of all targets, in nats.</summary>
    public double LossSum => _host[0];

    /// <summary>Sum of the MTP losses of all targets, in nats; 0 for a model without MTP.</summary>
    public double MtpLossSum => _host[1];

    /// <summary>Balance loss (1 when even) and z-loss of a layer with experts, unweighted, summed over micro-batches.</summary>
    /// <param name="moeLayer">Index among the layers with experts.</param>
    public (float Balance, float Z) RouterLosses(int moeLayer) => (_host[RouterLossesAt(moeLayer)], _host[RouterLossesAt(moeLayer) + 1]);

    /// <summary>Tokens that one expert of a layer got; exact below 2^24.</summary>
    /// <param name="moeLayer">Index among the layers with experts.</param>
    /// <param name="expert">Number of the expert.</param>
    public int TokensOf(int moeLayer, int expert) => (int)_host[LoadsAt + moeLayer * _experts + expert];

    /// <summary>Sum of squares of a block's gradient.</summary>
    public double GradSquares(int block) => _host[SquaresAt + block];

    /// <summary>F32[B]: where the sums of squares of the gradient blocks are written before <see cref="Read"/>.</summary>
    public Tensor GradSquaresB => _sums.Slice(SquaresAt, _host.Length - SquaresAt);

    /// <summary>Every tensor of figures, which replicas add up before <see cref="Read"/>.</summary>
    internal IEnumerable<Tensor> Sums => _loads.Prepend(_sums);

    private int LoadsAt => RouterLossesAt(_layers);

    private int SquaresAt => LoadsAt + _layers * _experts;

    /// <summary>Place of a layer's balance and z-loss among the figures: after the two losses.</summary>
    internal static int RouterLossesAt(int moeLayer) => 2 + 2 * moeLayer;

    /// <summary>Begins an update.</summary>
    public void Clear()
    {
        _device.Fill(_sums, 0);
        foreach (Tensor load in _loads)
        {
            _device.Upload<int>(_zeros, load);
        }
    }

    /// <summary>Waits for the device and copies every figure to the host: the one read-back of an update.</summary>
    public void Read() => _device.Download<float>(_sums, _host);

    /// <summary>Adds the figures of a micro-batch.</summary>
    internal void Add(StageActivations a)
    {
        if (a.Head is { } head)
        {
            _device.Sum(head.Loss, head.LossSum);
            _device.Add(head.LossSum, _sums.Slice(0, 1));
        }

        if (a.Mtp is { } mtp)
        {
            _device.Add(mtp.LossSum, _sums.Slice(1, 1));
        }

        for (int layer = 0; layer < a.Moe.Length; layer++)
        {
            _device.Add(a.Moe[layer].Losses, _sums.Slice(RouterLossesAt(layer), 2));
            _device.AddCounts(a.Moe[layer].Dispatch.TokensPerExpert, LoadOf(layer), _sums.Slice(LoadsAt + layer * _experts, _experts));
        }
    }

    /// <summary>I32[E]: tokens per expert of one layer with experts, on the device.</summary>
    internal Tensor LoadOf(int moeLayer) => _loads[moeLayer];
}
