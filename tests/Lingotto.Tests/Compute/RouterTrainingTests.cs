using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests;

/// <summary>The three means by which the Ling report keeps experts busy each do what they are for.</summary>
public class RouterTrainingTests
{
    private const int Sequences = 8, SequenceLength = 32;

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void Random_routing_is_even_whatever_the_router_weights(string family)
    {
        using var device = new CpuDevice(2);
        using TinyModel model = Skewed(device, TinyModel.Of(family) with { NGroup = 1, TopkGroup = 1 });
        model.LossAndGradients(TinyModel.Router(0, alpha: 1));
        Assert.True(model.Imbalance() > 1.5, $"the router alone should be skewed, its imbalance is {model.Imbalance():f2}");
        model.LossAndGradients(TinyModel.Router(0, alpha: 0));
        Assert.InRange(model.Imbalance(), 1, 1.3);
    }

    [Fact]
    public void The_balance_loss_evens_the_load_of_a_skewed_router()
    {
        double with = Imbalance(1f), without = Imbalance(0f);
        Assert.True(with < without - 0.3, $"max / mean load is {with:f2} with the balance loss and {without:f2} without");

        static double Imbalance(float balance)
        {
            using var device = new CpuDevice(2);
            using TinyModel model = Skewed(device, TinyModel.V1);
            return Train(model, 70, step => TinyModel.Router(step, balance));
        }
    }

    [Fact]
    public void The_z_loss_keeps_router_logits_small()
    {
        double with = SquaredLogSumExp(0.1f), without = SquaredLogSumExp(0f);
        Assert.True(with < 0.5 * without, $"mean logsumexp^2 is {with:f3} with the z-loss and {without:f3} without");

        static double SquaredLogSumExp(float z)
        {
            using var device = new CpuDevice(2);
            using TinyModel model = Skewed(device, TinyModel.V1);
            Train(model, 30, step => TinyModel.Router(step, z: z));
            return model.Decoder.MoeLayers.Average(layer => model.Decoder.RouterLosses(layer).Z);
        }
    }

    /// <summary>Every hidden vector has a common part, and the first expert's router row points along it.</summary>
    private static TinyModel Skewed(Device device, ModelConfig config)
    {
        var model = new TinyModel(device, config, sequences: Sequences, sequenceLength: SequenceLength);
        foreach ((string name, Parameter parameter) in model.Trained)
        {
            float[] values = model.Read(parameter.Value);
            if (name == "embedding.word_embeddings")
            {
                device.Upload<float>([.. values.Select(x => x + 0.5f)], parameter.Value);
            }
            else if (name.EndsWith("mlp.gate", StringComparison.Ordinal))
            {
                device.Upload<float>([.. values.Select((x, i) => i < config.HiddenSize ? x + 0.1f : x)], parameter.Value);
            }
        }

        model.Decoder.RefreshWeights();
        return model;
    }

    /// <summary>Returns the imbalance, averaged over the last steps: a single batch of a small model swings.</summary>
    private static double Train(TinyModel model, int steps, Func<int, RouterTraining> router)
    {
        const int Averaged = 20;
        double sum = 0;
        for (int step = 0; step < steps; step++)
        {
            model.Step(step, router(step), learningRate: 5e-3f);
            sum += step >= steps - Averaged ? model.Imbalance() : 0;
        }

        return sum / Averaged;
    }
}
