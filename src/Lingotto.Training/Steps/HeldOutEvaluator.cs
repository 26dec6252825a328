using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>
/// Loss on text kept out of training: nats a token, and bits per byte = nats / ln 2 / UTF-8 bytes of the tokens predicted,
/// which compares across vocabularies and with a compressor.
/// </summary>
internal sealed class HeldOutEvaluator(Device device, TrainableDecoder decoder, PackedSequences data, Tokenizer tokenizer)
{
    private readonly int[] _ids = new int[decoder.Tokens];
    private readonly int[] _targets = new int[decoder.Tokens];
    private readonly int[] _documentStarts = new int[decoder.Tokens];

    /// <summary>Measures the first <paramref name="sequences"/> held-out sequences, or all.</summary>
    public EvaluationMetrics Run(long step, long sequences, CancellationToken cancellation = default)
    {
        long count = Math.Min(sequences, data.CountInOrder), targets = 0, bytes = 0;
        int length = decoder.Batch.SequenceLength, perBatch = decoder.Tokens / length;
        double nats = 0;
        for (long first = 0; first < count; first += perBatch)
        {
            cancellation.ThrowIfCancellationRequested();
            Array.Fill(_targets, Device.IgnoredTarget);
            for (int s = 0; s < perBatch && first + s < count; s++)
            {
                data.FillInOrder(
                    first + s, _ids.AsSpan(s * length, length), _targets.AsSpan(s * length, length),
                    _documentStarts.AsSpan(s * length, length));
            }

            foreach (int target in _targets)
            {
                if (target != Device.IgnoredTarget)
                {
                    targets++;
                    bytes += tokenizer.IsSpecial(target) ? 0 : tokenizer.TokenBytes(target).Length;
                }
            }

            decoder.Batch.Upload(device, _ids, _targets, _documentStarts);
            nats += decoder.Loss();
        }

        return new EvaluationMetrics(
            step, nats / Math.Max(1, targets), nats / Math.Log(2) / Math.Max(1, bytes), targets, count == data.CountInOrder);
    }
}
