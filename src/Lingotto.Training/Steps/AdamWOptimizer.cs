using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// Moments of every block, the norm of the gradient, and the update: decay for matrices, one of its own for the embedding, none for norms.
/// </summary>
internal sealed class AdamWOptimizer : IDisposable
{
    private readonly Device _device;
    private readonly OptimizerConfig _config;
    private readonly IReadOnlyList<ParameterBlock> _blocks;
    private readonly Arena _arena;
    private readonly Tensor[] _firstMoments;
    private readonly Tensor[] _secondMoments;

    public AdamWOptimizer(Device device, OptimizerConfig config, IReadOnlyList<ParameterBlock> blocks)
        : this(device, config, blocks, new Arena(device, PlannedBytes(blocks)))
    {
    }

    private AdamWOptimizer(Device device, OptimizerConfig config, IReadOnlyList<ParameterBlock> blocks, Arena arena)
    {
        _device = device;
        _config = config;
        _blocks = blocks;
        _arena = arena;
        _firstMoments = [.. blocks.Select(block => arena.Allocate(DType.F32, block.TrainedLength))];
        _secondMoments = [.. blocks.Select(block => arena.Allocate(DType.F32, block.TrainedLength))];
    }

    /// <summary>Bytes of the moments of these blocks.</summary>
    public static long PlannedBytes(IReadOnlyList<ParameterBlock> blocks)
    {
        using Arena plan = Arena.Measure();
        foreach (ParameterBlock block in blocks)
        {
            plan.Allocate(DType.F32, block.TrainedLength);
            plan.Allocate(DType.F32, block.TrainedLength);
        }

        return plan.Used;
    }

    /// <summary>squares[b] = sum of squares of the gradient of block b.</summary>
    public void SumSquares(Tensor squaresB)
    {
        for (int b = 0; b < _blocks.Count; b++)
        {
            _device.Enter(_blocks[b].Name);
            _device.SumOfSquares(_blocks[b].Gradients, squaresB.Slice(b, 1));
        }
    }

    /// <summary>One update with the gradient clipped to the configured norm; gradients are zero afterwards.</summary>
    public void Update(long step, double learningRate, double gradNorm)
    {
        double scale = gradNorm > _config.GradClip ? _config.GradClip / gradNorm : 1;
        var plain = new AdamWStep(
            (float)learningRate, (float)_config.Beta1, (float)_config.Beta2, (float)_config.Epsilon, WeightDecay: 0, step, (float)scale);
        for (int b = 0; b < _blocks.Count; b++)
        {
            _device.Enter(_blocks[b].Name);
            int split = _blocks[b].MatrixLength, rest = _blocks[b].TrainedLength - split;
            double decay = _blocks[b].IsEmbedding ? _config.EmbeddingWeightDecay : _config.WeightDecay;
            Update(b, 0, split, plain with { WeightDecay = (float)decay });
            Update(b, split, rest, plain);
        }
    }

    /// <summary>Sets every gradient to zero, because the step is discarded.</summary>
    public void ZeroGradients()
    {
        foreach (ParameterBlock block in _blocks)
        {
            _device.Fill(block.Gradients, 0f);
        }
    }

    /// <summary>Moments by parameter, and the buffers that are no part of the model: all state beside the weights.</summary>
    public IEnumerable<NamedTensor> State()
    {
        for (int b = 0; b < _blocks.Count; b++)
        {
            ParameterBlock block = _blocks[b];
            foreach (Parameter parameter in block.Parameters)
            {
                string name = $"{block.Name}.{parameter.Name}";
                if (parameter.Role == ParameterRole.Buffer)
                {
                    yield return new($"buffer.{name}", parameter.Value);
                    continue;
                }

                int offset = (int)((parameter.Value.ByteOffset - block.Values.ByteOffset) / sizeof(float)),
                    length = (int)parameter.Value.Length;
                yield return new($"exp_avg.{name}", _firstMoments[b].Slice(offset, length));
                yield return new($"exp_avg_sq.{name}", _secondMoments[b].Slice(offset, length));
            }
        }
    }

    public void Dispose() => _arena.Dispose();

    private void Update(int block, int first, int count, AdamWStep step)
    {
        if (count > 0)
        {
            _device.AdamWUpdate(
                _blocks[block].Values.Slice(first, count), _blocks[block].Gradients.Slice(first, count),
                _firstMoments[block].Slice(first, count), _secondMoments[block].Slice(first, count), step);
        }
    }
}
