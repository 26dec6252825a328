using Lingotto.Compute;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests;

/// <summary>The network on devices of every kind: what it computes is a matter of the waist alone.</summary>
public class WholeModelTests
{
    private const float Balance = 0.05f, Z = 0.02f;

    [Theory]
    [InlineData("v1", 1f)]
    [InlineData("v2", 1f)]
    [InlineData("v1", 0.5f)]
    public void Training_on_a_device_that_runs_later_gives_the_same_bits(string family, float warmupAlpha)
    {
        using var cpu = new CpuDevice(2);
        using var inner = new CpuDevice(2);
        using var deferred = new DeferredDevice(inner);
        using var direct = new TinyModel(cpu, TinyModel.Of(family));
        using var queued = new TinyModel(deferred, TinyModel.Of(family));
        for (int step = 0; step < 5; step++)
        {
            RouterTraining router = TinyModel.Router(step, Balance, Z, warmupAlpha);
            Assert.Equal(direct.Step(step, router), queued.Step(step, router));
        }

        Assert.True(deferred.LongestQueue > 20, $"only {deferred.LongestQueue} operations were ever queued");
        foreach ((ParameterBlock expected, ParameterBlock actual) in direct.Decoder.Blocks.Zip(queued.Decoder.Blocks))
        {
            Assert.Equal(direct.Read(expected.Values), queued.Read(actual.Values));
        }
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void The_gradient_of_every_tensor_is_that_of_central_differences(string family)
    {
        using var reference = new ReferenceDevice();
        using var device = new WideDevice(reference);
        using var model = new TinyModel(device, TinyModel.Of(family));
        RouterTraining router = TinyModel.Router(1, Balance, Z);
        Objective(model, device, router);
        var gradients = model.Trained.ToDictionary(p => p.Name, p => device.DownloadExact(p.Parameter.Gradient));
        var loads = model.Decoder.MoeLayers.Select(model.Load).ToArray();
        var faults = new List<string>();
        foreach ((string name, Parameter parameter) in model.Trained)
        {
            double[] values = device.DownloadExact(parameter.Value), analytic = gradients[name];
            double largest = analytic.Max(Math.Abs);
            for (int sample = 0; sample < 4; sample++)
            {
                // The largest gradient is always among the samples: an unused expert's zeros would prove nothing.
                int i = sample == 0 ? Array.FindIndex(analytic, g => Math.Abs(g) == largest) : sample * 7919 % values.Length;
                const double Step = 1e-5;
                double numeric = (At(Step) - At(-Step)) / (2 * Step);
                if (!(Math.Abs(numeric - analytic[i]) <= 1e-5 * largest + 1e-9))
                {
                    faults.Add($"{name}[{i}]: backward {analytic[i]:g9}, differences {numeric:g9}, largest {largest:g3}");
                }

                double At(double step)
                {
                    double[] moved = [.. values];
                    moved[i] += step;
                    device.UploadExact(moved, parameter.Value);
                    double objective = Objective(model, device, router);
                    device.UploadExact(values, parameter.Value);
                    Assert.Equal(loads, model.Decoder.MoeLayers.Select(model.Load));
                    return objective;
                }
            }
        }

        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void The_cpu_and_the_reference_agree_on_the_gradient_of_every_tensor(string family)
    {
        using var cpu = new CpuDevice(2);
        using var reference = new ReferenceDevice();
        using var fast = new TinyModel(cpu, TinyModel.Of(family));
        using var slow = new TinyModel(reference, TinyModel.Of(family));
        RouterTraining router = TinyModel.Router(1, Balance, Z);
        Assert.Equal(slow.LossAndGradients(router), fast.LossAndGradients(router), 1e-5f);
        foreach (((string name, Parameter expected), (_, Parameter actual)) in slow.Trained.Zip(fast.Trained))
        {
            float[] gradient = slow.Read(expected.Gradient);
            float largest = gradient.Max(Math.Abs);
            float worst = gradient.Zip(fast.Read(actual.Gradient), (a, b) => Math.Abs(a - b)).Max();
            Assert.True(largest > 0, $"{name} has no gradient at all");
            Assert.True(worst <= 1e-4 * largest, $"{name}: off by {worst:g3}, largest {largest:g3}");
        }
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void In_bf16_every_gradient_points_where_that_in_single_precision_points(string family)
    {
        using var device = new CpuDevice(2);
        using var exact = new TinyModel(device, TinyModel.Of(family), seed: 11);
        using var rounded = new TinyModel(device, TinyModel.Of(family), seed: 11, precision: DType.BF16);
        RouterTraining router = TinyModel.Router(1, Balance, Z);
        float loss = exact.LossAndGradients(router);
        Assert.Equal(loss, rounded.LossAndGradients(router), 0.01f * loss);

        // A token that rounding sent to another expert would be another function, not an error.
        Assert.Equal(exact.Decoder.MoeLayers.Select(exact.Load), rounded.Decoder.MoeLayers.Select(rounded.Load));
        foreach (((string name, Parameter expected), (_, Parameter actual)) in exact.Trained.Zip(rounded.Trained))
        {
            float[] a = exact.Read(expected.Gradient), b = rounded.Read(actual.Gradient);
            double off = Math.Sqrt(a.Zip(b, (x, y) => (double)(x - y) * (x - y)).Sum() / a.Sum(x => (double)x * x));
            Assert.True(off is > 0 and < 0.06, $"{name}: off by {off:P1}");
        }
    }

    [SkippableTheory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void Bf16_on_the_assembled_kernels_is_bf16_on_the_others(string family)
    {
        using var assembled = new CpuDevice(1);
        Skip.IfNot(assembled.HasBf16Products, assembled.Bf16Refusal);
        using var emulated = new CpuDevice(1, Isa.Avx2, bytes => new HostBlock(bytes));
        Assert.False(emulated.HasBf16Products);
        using var fast = new TinyModel(assembled, TinyModel.Of(family), precision: DType.BF16);
        using var slow = new TinyModel(emulated, TinyModel.Of(family), precision: DType.BF16);
        RouterTraining router = TinyModel.Router(1, Balance, Z);
        float loss = fast.LossAndGradients(router);

        // Attention is where they part: without the kernels its probabilities are not rounded.
        Assert.Equal(loss, slow.LossAndGradients(router), 2e-3f * loss);
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void Training_in_bf16_gives_the_same_bits_on_one_thread_and_on_three(string family)
    {
        using var one = new CpuDevice(1);
        using var three = new CpuDevice(3);
        using var first = new TinyModel(one, TinyModel.Of(family), precision: DType.BF16);
        using var second = new TinyModel(three, TinyModel.Of(family), precision: DType.BF16);
        for (int step = 0; step < 5; step++)
        {
            RouterTraining router = TinyModel.Router(step, Balance, Z, 0.5f);
            Assert.Equal(first.Step(step, router), second.Step(step, router));
        }
    }

    /// <summary>What LossAndGradients differentiates: the mean loss and the weighted router losses of every layer.</summary>
    private static double Objective(TinyModel model, WideDevice device, RouterTraining router)
    {
        model.LossAndGradients(router);
        double objective = device.LastDownload[0] / model.Decoder.Tokens;
        for (int layer = 0; layer < model.Decoder.MoeLayers.Count(); layer++)
        {
            int at = StepStatistics.RouterLossesAt(layer);
            objective += router.BalanceCoefficient * device.LastDownload[at] + router.ZCoefficient * device.LastDownload[at + 1];
        }

        return objective;
    }
}
