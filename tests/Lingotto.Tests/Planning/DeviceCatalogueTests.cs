using Lingotto.Planning;
using Lingotto.Tests.Formats;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>The catalogue: nothing without a source, nothing filled silently, faults in one line.</summary>
public class DeviceCatalogueTests
{
    [Fact]
    public void Forty_four_devices_come_with_the_program_and_the_five_of_the_paper_are_among_them()
    {
        Assert.Equal(44, PlanningFixture.Catalogue.Devices.Count);
        Assert.Equal([370, 120, 312, 989, 147], new[] { "a", "b", "c", "d", "e" }.Select(letter => PlanningFixture.Catalogue["ling-" + letter].Bf16Tflops.Value!.Value));
        Assert.Equal([7, 4.5, 10, 27.5, 5.64], new[] { "a", "b", "c", "d", "e" }.Select(letter => PlanningFixture.Catalogue["ling-" + letter].Prices[0].PerHour));
    }

    [Fact]
    public void An_unknown_figure_is_named_as_an_assumption_and_is_less_certain_than_a_published_one()
    {
        Estimate borrowed = PlanningFixture.Device("ling-a").Figures.Single(figure => figure.Name == "link between nodes");
        Estimate published = PlanningFixture.Device("ascend-910b2").Figures.Single(figure => figure.Name == "link between nodes");
        Assert.True(borrowed.IsAssumed);
        Assert.Contains("ascend-910b2", borrowed.Origin, StringComparison.Ordinal);
        Assert.True(borrowed.LogError > published.LogError);
    }

    [Fact]
    public void Of_two_published_rates_of_failure_an_unknown_one_is_the_middle()
    {
        double[] rates = [.. PlanningFixture.Catalogue.Devices.Where(device => device.Tier != "cpu" && device.FailuresPerDeviceHour.Value > 0)
            .Select(device => device.FailuresPerDeviceHour.Value!.Value)];
        Assert.Equal(2, rates.Length);
        Estimate unknown = PlanningFixture.Device("mi300x").Figures.Single(figure => figure.Name == "failures per hour");
        Assert.True(unknown.IsAssumed);
        Assert.Equal(Math.Sqrt(rates[0] * rates[1]), unknown.Value, 1e-12);
    }

    [Fact]
    public void A_device_whose_peak_nobody_published_is_refused_by_name()
    {
        string message = Assert.Throws<PlanException>(() => PlanningFixture.Device("hygon-bw1000")).Message;
        Assert.Contains("hygon-bw1000", message, StringComparison.Ordinal);
        Assert.Contains("bf16_tflops", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_misspelt_name_is_answered_with_the_nearest() =>
        Assert.Contains("h100-sxm", Assert.Throws<PlanException>(() => PlanningFixture.Catalogue["h10-sxm"]).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("\"vendor\"", "\"vendr\"", "vendr")]
    [InlineData("\"value\": 989,", "\"value\": -1,", "bf16_tflops")]
    [InlineData("\"name\": \"h100-sxm\"", "\"name\": \"other\"", "other")]
    [InlineData("\"per_hour\": 27.5", "\"per_hour\": 0", "prices")]
    public void A_faulty_file_is_refused_in_one_line_that_names_the_key(string text, string fault, string named)
    {
        using var folder = new TemporaryFolder();
        string path = Path.Combine(folder.Path, "h100-sxm.json");
        File.WriteAllText(path, File.ReadAllText(RepositoryRoot.File("devices", "h100-sxm.json")).Replace(text, fault, StringComparison.Ordinal));
        string message = Assert.Throws<PlanException>(() => DeviceCatalogue.Load(folder.Path)).Message;
        Assert.Contains(named, message, StringComparison.Ordinal);
        Assert.Contains(path, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_misspelt_resemblance_is_answered_with_the_nearest()
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
        File.WriteAllText(path, File.ReadAllText(RepositoryRoot.File("devices", "h100-sxm.json")).Replace("\"h100-sxm\"", "\"mine\"", StringComparison.Ordinal));
        DeviceCatalogue catalogue = PlanningFixture.Catalogue.With([DeviceCatalogue.ReadDevice(path)]);
        Assert.Equal(45, catalogue.Devices.Count);
        Assert.Equal(989, catalogue["mine"].Bf16Tflops.Value);
    }
}
