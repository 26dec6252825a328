using System.Runtime.InteropServices;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>A tiny model and its optimizer with other contents at every step, to be saved and recognised.</summary>
internal sealed class TortureState : IDisposable
{
    private readonly Device _device = DeviceSelection.Open(threads: 1);
    private readonly TrainableDecoder _decoder;
    private readonly AdamWOptimizer _optimizer;

    public TortureState(TortureSession session)
    {
        _decoder = new TrainableDecoder(_device, ModelConfig.Load(Path.Combine(session.Options.AssetFolder, "models", "tiny.json")), 1, 8);
        _optimizer = new AdamWOptimizer(_device, new OptimizerConfig(), _decoder.Blocks);
        Content = CheckpointContent.Of(_decoder, _optimizer, tokenizer: null);
    }

    public CheckpointContent Content { get; }

    /// <summary>Gives every tensor the contents of a step and saves them. Returns their hash.</summary>
    public string Save(string folder, long step, int keep = 2, IDisk? disk = null)
    {
        var random = new Random((int)step);
        foreach (NamedTensor tensor in Content.Tensors)
        {
            var values = new float[tensor.Value.Length];
            random.NextBytes(MemoryMarshal.AsBytes(values.AsSpan()));
            _device.Upload<float>(values, tensor.Value);
        }

        string hash = Hash();
        new CheckpointStore(folder, _device, disk).Save(
            new TrainerState(step, step, step, null, null), Content, new LiveTensors(_device), keep);
        return hash;
    }

    /// <summary>
    /// Loads what a new process would. Returns the step, null where it would start over, and the hash of what was loaded.
    /// </summary>
    public (long? Step, string Hash) Restore(string folder, Action<string> warn)
    {
        foreach (NamedTensor tensor in Content.Tensors)
        {
            _device.Fill(tensor.Value, 0);
        }

        long? step = new CheckpointStore(folder, _device).Restore(_decoder, _optimizer, warn)?.Step;
        return (step, Hash());
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _decoder.Dispose();
        _device.Dispose();
    }

    /// <summary>One hash over the hashes of all tensors.</summary>
    private string Hash()
    {
        var all = new System.Text.StringBuilder();
        foreach (NamedTensor tensor in Content.Tensors)
        {
            var values = new float[tensor.Value.Length];
            _device.Download<float>(tensor.Value, values);
            all.Append(ContentHash.Of(MemoryMarshal.AsBytes(values.AsSpan())));
        }

        return ContentHash.Of(System.Text.Encoding.ASCII.GetBytes(all.ToString()));
    }
}
