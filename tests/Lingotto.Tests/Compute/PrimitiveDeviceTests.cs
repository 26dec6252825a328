using System.Reflection;
using Lingotto.Compute;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests;

/// <summary>A device is correct once its primitives are: the bodies of every other operation, checked on plain loops.</summary>
public sealed class PrimitiveDeviceTests
{
    [Fact]
    public void A_device_with_nothing_but_primitives_passes_the_whole_conformance_suite()
    {
        using var device = new PrimitivesDevice();
        ConformanceTests.AssertAllPass(ConformanceRunner.Run(device));
    }

    [Fact]
    public void That_device_overrides_no_operation_that_has_a_body() => Assert.Empty(
        typeof(PrimitivesDevice).GetMethods(
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
            .Where(method => method.IsVirtual && DeclaredFirst(method) is { IsAbstract: false } or null)
            .Select(method => method.Name));

    [Theory]
    [InlineData("v1")]
    [InlineData("v2")]
    public void A_model_trains_on_the_primitives_as_on_the_reference(string family)
    {
        const int Steps = 20;
        using var primitives = new PrimitivesDevice();
        using var reference = new ReferenceDevice();
        using var actual = new TinyModel(primitives, TinyModel.Of(family));
        using var expected = new TinyModel(reference, TinyModel.Of(family));
        for (int step = 0; step < Steps; step++)
        {
            RouterTraining router = TinyModel.Router(step, 0.05f, 0.01f, Math.Min(1, step / 5f));
            float loss = expected.Step(step, router, 1e-3f);
            Assert.Equal(loss, actual.Step(step, router, 1e-3f), 1e-5f);
        }
    }

    [Fact]
    public void Scratch_stops_growing_after_the_first_step_and_is_counted()
    {
        using var device = new PrimitivesDevice();
        using var model = new TinyModel(device, TinyModel.V2);
        model.Step(0, TinyModel.Router(0));
        long bytes = device.ScratchBytes;
        Assert.True(bytes > 0);
        for (int step = 1; step < 4; step++)
        {
            model.Step(step, TinyModel.Router(step));
        }

        Assert.Equal(bytes, device.ScratchBytes);
    }

    /// <summary>The method that <see cref="PrimitiveDevice"/> has under this signature.</summary>
    private static MethodInfo? DeclaredFirst(MethodInfo method) => method.IsGenericMethod ? method.GetBaseDefinition()
        : typeof(PrimitiveDevice)
        .GetMethod(
            method.Name, BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic,
            [.. method.GetParameters().Select(parameter => parameter.ParameterType)]);
}
