using Lingotto.Planning;
using Lingotto.Tests.Formats;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests that every figure has a source, that assumptions are named, and that faults are one line.</summary>
public class DeviceCatalogueTests
{
    [Fact]
    public void The_catalogue_has_44_devices_with_the_five_of_the_paper()
    {
        Assert.Equal(44, PlanningFixture.Catalogue.Devices.Count);
        DeviceSpec[] paper = [.. new[] { "a", "b", "c", "d", "e" }.Select(letter => PlanningFixture.Catalogue["ling-" + letter])];
        Assert.Equal([370, 120, 312, 989, 147], paper.Select(device => device.Bf16Tflops.Value!.Value));
        Assert.Equal([7, 4.5, 10, 27.5, 5.64], paper.Select(device => device.Prices[0].PerHour));
    }

    [Fact]
    public void An_unknown_figure_is_an_assumption_and_less_certain_than_a_published_one()
    {
        EstimatedFigure borrowed = PlanningFixture.Device("ling-a").Figures.Single(figure => figure.Name == "link between nodes");
        EstimatedFigure published = PlanningFixture.Device("ascend-910b2").Figures.Single(figure => figure.Name == "link between nodes");
        Assert.True(borrowed.IsAssumed);
        Assert.Contains("ascend-910b2", borrowed.Origin, StringComparison.Ordinal);
        Assert.True(borrowed.LogError > published.LogError);
    }

    [Fact]
    public void An_unknown_failure_rate_is_the_median_of_the_published_rates()
    {
        double[] rates = [.. PlanningFixture.Catalogue.Devices.Where(device => device.Tier != "cpu"
            && device.FailuresPerDeviceHour.Value > 0)
            .Select(device => device.FailuresPerDeviceHour.Value!.Value)];
        Assert.Equal(2, rates.Length);
        EstimatedFigure unknown = PlanningFixture.Device("mi300x").Figures.Single(figure => figure.Name == "failures per hour");
        Assert.True(unknown.IsAssumed);
        Assert.Equal(Math.Sqrt(rates[0] * rates[1]), unknown.Value, 1e-12);
    }

    [Fact]
    public void A_device_with_unknown_peak_is_refused_by_name()
    {
        string message = Assert.Throws<PlanException>(() => PlanningFixture.Device("hygon-bw1000")).Message;
        Assert.Contains("hygon-bw1000", message, StringComparison.Ordinal);
        Assert.Contains("bf16_tflops", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_misspelt_name_gets_the_nearest_name_as_suggestion() =>
        Assert.Contains("h100-sxm", Assert.Throws<PlanException>(() => PlanningFixture.Catalogue["h10-sxm"]).Message,
            StringComparison.Ordinal);

    [Theory]
    [InlineData("\"vendor\"", "\"vendr\"", "vendr")]
    [InlineData("\"value\": 989,", "\"value\": -1,", "bf16_tflops")]
    [InlineData("\"name\": \"h100-sxm\"", "\"name\": \"other\"", "other")]
    [InlineData("\"per_hour\": 27.5", "\"per_hour\": 0", "prices")]
    [InlineData("\"value\": 989,", "\"value\": 0,", "bf16_tflops is 0")]
    [InlineData("\"value\": 3350,", "\"value\": 0,", "memory_gbs is 0")]
    [InlineData("\"value\": 794.5,", "\"value\": 1000,", "measured_matmul_tflops (1000) is above the peak")]
    [InlineData("  \"vendor\": \"nvidia\",\n", "", "vendor is missing")]
    public void A_faulty_file_is_refused_in_one_line_that_names_the_key(string text, string fault, string named)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "h100-sxm.json");
        File.WriteAllText(path, File.ReadAllText(RepositoryRoot.File("devices", "h100-sxm.json"))
            .Replace(text, fault, StringComparison.Ordinal));
        string message = Assert.Throws<PlanException>(() => DeviceCatalogue.Load(folder.Path)).Message;
        Assert.Contains(named, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_misspelt_resemblance_gets_the_nearest_name_as_suggestion()
    {
        DeviceSpec mine = PlanningFixture.Catalogue["ling-a"] with { Name = "mine", Resembles = "ascend-910b7" };
        string message = Assert.Throws<PlanException>(() => PlanningFixture.Catalogue.With([mine])).Message;
        Assert.Contains("mine", message, StringComparison.Ordinal);
        Assert.Contains("did you mean ascend-910b", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_user_adds_a_device_with_one_file()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "mine.json");
        string shipped = File.ReadAllText(RepositoryRoot.File("devices", "h100-sxm.json"));
        File.WriteAllText(path, shipped.Replace("\"h100-sxm\"", "\"mine\"", StringComparison.Ordinal));
        DeviceCatalogue catalogue = PlanningFixture.Catalogue.With([DeviceCatalogue.ReadDevice(path)]);
        Assert.Equal(45, catalogue.Devices.Count);
        Assert.Equal(989, catalogue["mine"].Bf16Tflops.Value);
    }

    [Fact]
    public void A_measured_training_rate_of_0_or_above_the_peak_is_refused_by_its_key()
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "here.json");
        string Refusal(MeasuredTraining training)
        {
            DeviceCatalogue.WriteDevice(PlanningFixture.Catalogue["h100-sxm"] with { Name = "here", Training = training }, path);
            return Assert.Throws<PlanException>(() => DeviceCatalogue.ReadDevice(path)).Message;
        }

        var training = new MeasuredTraining
        {
            Precision = "bf16",
            MatmulFlops = 4e11,
            AttentionFlops = 1e11,
            ElementwiseBytes = 1e10,
            OptimizerParameters = 1e9,
            ActivationScale = 1,
        };
        Assert.StartsWith($"{path}: training.matmul_flops is above the peak", Refusal(training with { MatmulFlops = 1e15 }),
            StringComparison.Ordinal);
        Assert.StartsWith($"{path}: training.elementwise_bytes must be above 0", Refusal(training with { ElementwiseBytes = 0 }),
            StringComparison.Ordinal);
    }
}
