using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Text;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public sealed class HeldOutEvaluatorTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_model_that_knows_nothing_needs_log2_of_the_vocabulary_for_every_token(int sequencesOfBatch)
    {
        using var run = new TinyRun(TinyModels.Ling2);
        (Tokenizer tokenizer, TokenDataset built) = run.BuildData();
        using TokenDataset data = built;
        using var device = new CpuDevice(threads: 1);
        using var zeroWeights = new TrainableDecoder(device, run.Model, sequencesOfBatch, sequenceLength: 32);
        zeroWeights.RefreshWeights();
        var evaluator = new HeldOutEvaluator(device, zeroWeights, new PackedSequences(data.HeldOut, 32, seed: 0), tokenizer);

        // Nothing predicts the first token of a document.
        var ids = new int[data.HeldOut.Count];
        data.HeldOut.Read(0, ids);
        int[] targets = [.. ids.Skip(1).Where((_, i) => ids[i] != data.HeldOut.EndOfTextId)];
        int bytes = targets.Where(id => id != data.HeldOut.EndOfTextId).Sum(id => tokenizer.TokenBytes(id).Length);

        EvaluationMetrics all = evaluator.Run(step: 7, long.MaxValue);
        Assert.Equal((7L, targets.Length, true), (all.Step, (int)all.Tokens, all.Complete));
        Assert.Equal(Math.Log(run.Model.VocabSize), all.Loss, 5);
        Assert.Equal(Math.Log2(run.Model.VocabSize) * targets.Length / bytes, all.BitsPerByte, 5);
        Assert.InRange(evaluator.Run(7, 2).Tokens, 1, 64);
        Assert.False(evaluator.Run(7, 2).Complete);
    }
}
