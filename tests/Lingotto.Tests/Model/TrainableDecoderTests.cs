using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests.Model;

public sealed class TrainableDecoderTests
{
    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void Losses_and_gradients_are_the_same_bits_for_one_and_two_threads(string model)
    {
        (float loss, float[][] gradients) = LossAndGradients(TinyModels.Of(model), threads: 1, times: 1);
        (float lossOfTwo, float[][] gradientsOfTwo) = LossAndGradients(TinyModels.Of(model), threads: 2, times: 1);
        Assert.Equal(loss, lossOfTwo);
        Assert.Equal(gradients, gradientsOfTwo);
    }

    [Fact]
    public void Gradients_add_up_over_micro_batches()
    {
        float[][] once = LossAndGradients(TinyModels.Ling2, threads: 1, times: 1).Gradients;
        float[][] twice = LossAndGradients(TinyModels.Ling2, threads: 1, times: 2).Gradients;
        foreach ((float[] one, float[] two) in once.Zip(twice))
        {
            double norm = Math.Sqrt(one.Sum(g => (double)g * g));
            Assert.All(one.Zip(two), pair => Assert.InRange(pair.Second - 2 * pair.First, -1e-6 * norm, 1e-6 * norm));
        }
    }

    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void A_document_does_not_see_its_neighbours(string model)
    {
        ModelConfig config = TinyModels.Of(model);
        float[] before = Logits(config, new TinyBatch(config.VocabSize));
        var changed = new TinyBatch(config.VocabSize);
        for (int t = 0; t < TinyBatch.FirstDocument; t++)
            changed.Ids[t] = (changed.Ids[t] + 1) % config.VocabSize;
        float[] after = Logits(config, changed);
        Range others = (TinyBatch.FirstDocument * config.VocabSize)..;
        Assert.Equal(before[others], after[others]);
        Assert.NotEqual(before[..others.Start.Value], after[..others.Start.Value]);
    }

    [Fact]
    public void What_is_not_run_yet_is_refused_by_every_key_at_once()
    {
        using var device = new CpuDevice(threads: 1);
        ModelConfigException fault = Assert.Throws<ModelConfigException>(
            () => new TrainableDecoder(device, TinyModels.Ling1 with { UseBias = true, TieWordEmbeddings = true }, 1, 8));
        Assert.Contains("use_bias", fault.Message, StringComparison.Ordinal);
        Assert.Contains("tie_word_embeddings", fault.Message, StringComparison.Ordinal);
    }

    private static (float Loss, float[][] Gradients) LossAndGradients(ModelConfig config, int threads, int times)
    {
        using var device = new CpuDevice(threads);
        using TrainableDecoder decoder = Create(device, config);
        new TinyBatch(config.VocabSize).Upload(device, decoder);
        float loss = 0;
        for (int i = 0; i < times; i++)
            loss = decoder.LossAndGradients(0.03f, new RouterTraining(0.02f, 0.01f, 1, 0, default, 1, 0));
        return (loss, [.. decoder.Blocks.Select(block => TinyModels.Download(device, block.Gradients))]);
    }

    private static float[] Logits(ModelConfig config, TinyBatch batch)
    {
        using var device = new CpuDevice(threads: 1);
        using TrainableDecoder decoder = Create(device, config);
        batch.Upload(device, decoder);
        using var arena = new Arena(device, (long)decoder.Tokens * config.VocabSize * sizeof(float));
        Tensor logitsTV = arena.Allocate(DType.F32, decoder.Tokens, config.VocabSize);
        decoder.Logits(logitsTV);
        return TinyModels.Download(device, logitsTV);
    }

    private static TrainableDecoder Create(Device device, ModelConfig config)
    {
        var decoder = new TrainableDecoder(device, config, TinyBatch.Sequences, TinyBatch.SequenceLength);
        TinyModels.Initialize(device, decoder);
        return decoder;
    }
}
