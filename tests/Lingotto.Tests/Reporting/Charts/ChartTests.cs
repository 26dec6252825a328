using System.Globalization;
using System.Xml.Linq;
using Lingotto.Reporting;
using Xunit;

namespace Lingotto.Tests.Reporting;

/// <summary>Tests line charts, heat maps, bar charts, axes and the roofline of a profile.</summary>
public sealed class ChartTests
{
    [Fact]
    public void A_chart_has_a_title_a_description_and_a_table_of_its_values()
    {
        XElement figure = Parse(new LineChart
        {
            Id = "loss",
            Title = "Loss <nats>",
            Series = [new Series("training & more", Falling(100), IsNoisy: true)]
        }.ToMarkup());
        XElement svg = figure.Elements("svg").Single();
        Assert.Equal("img", (string?)svg.Attribute("role"));
        string[] labels = [(string)svg.Attribute("aria-labelledby")!, (string)svg.Attribute("aria-describedby")!];
        Assert.All(labels, id => Assert.Single(figure.DescendantsAndSelf(), element => (string?)element.Attribute("id") == id));
        Assert.Equal("Loss <nats>", figure.Descendants("h3").Single().Value);
        Assert.Contains("training & more: from", svg.Element("desc")!.Value, StringComparison.Ordinal);
        XElement table = figure.Descendants("table").Single();
        Assert.Equal(["step", "training & more"], table.Descendants("thead").Single().Descendants("th").Select(cell => cell.Value));
        Assert.InRange(table.Element("tbody")!.Elements("tr").Count(), 10, 30);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_points_are_inside_the_frame(bool isLogarithmic)
    {
        var random = new Random(5);
        var curve = new Curve();
        for (int x = 0; x < 5000; x++)
        {
            curve.Add(x, Math.Exp(6 * random.NextDouble()));
        }

        XElement figure = Parse(new LineChart
        {
            Id = "x",
            Title = "x",
            IsLogarithmic = isLogarithmic,
            Series = [new Series("a", curve, IsNoisy: true)]
        }.ToMarkup());
        foreach (string path in figure.Descendants("path").Select(element => (string)element.Attribute("d")!))
        {
            double[] numbers = [.. path.Split(['M', 'L', 'Z', ' '], StringSplitOptions.RemoveEmptyEntries)
                .Select(number => double.Parse(number, CultureInfo.InvariantCulture))];
            Assert.True(numbers.Length > 600);
            Assert.All(numbers.Where((_, i) => i % 2 == 0), x => Assert.InRange(x, 0, 1000));
            Assert.All(numbers.Where((_, i) => i % 2 == 1), y => Assert.InRange(y, 0, 200));
        }
    }

    [Fact]
    public void A_chart_draws_a_constant_curve_a_single_point_and_no_point()
    {
        var one = new Curve();
        one.Add(7, 0);
        Assert.Contains("<circle", new LineChart { Id = "x", Title = "x", Series = [new Series("a", one)] }.ToMarkup().Html,
            StringComparison.Ordinal);
        Assert.Equal("", new LineChart { Id = "x", Title = "x", Series = [new Series("a", new Curve())] }.ToMarkup().Html);
        Assert.DoesNotContain("NaN", new LineChart
        {
            Id = "x",
            Title = "x",
            IsLogarithmic = true,
            Series = [new Series("a", one)]
        }.ToMarkup().Html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 10, false, "0 2 4 6 8 10")]
    [InlineData(1.93, 2.04, false, "1.94 1.96 1.98 2.00 2.02 2.04")]
    [InlineData(0, 1_000_000, false, "0 200K 400K 600K 800K 1M")]
    [InlineData(0.001, 1000, true, "0.01 1 100")]
    [InlineData(1, 8, true, "1 2 5")]
    [InlineData(0, 2.4e-4, false, "0 5e-5 1e-4 1.5e-4 2e-4")]
    [InlineData(0, 0.002, false, "0 0.0005 0.0010 0.0015 0.0020")]
    public void Ticks_are_round_numbers(double min, double max, bool isLogarithmic, string expected)
    {
        var axis = new Axis(min, max, isLogarithmic, 5);
        Assert.Equal(expected, string.Join(' ', axis.Ticks.Select(axis.LabelOf)));
        Assert.Equal((0.0, 1.0), (axis.Position(min), axis.Position(max)));
    }

    [Fact]
    public void Values_that_differ_only_in_their_last_digit_are_a_flat_curve()
    {
        var axis = new Axis(1e6, 1e6 + 1e-9, false, 5);
        Assert.InRange(axis.Ticks.Count, 2, 12);
        Assert.Equal(0.5, axis.Position(1e6), 6);
    }

    [Fact]
    public void Labels_of_curves_that_end_together_do_not_overlap()
    {
        XElement figure = Parse(new LineChart
        {
            Id = "x",
            Title = "x",
            Series = [.. Enumerable.Range(0, 4).Select(i => new Series($"s{i}", Falling(50)))]
        }.ToMarkup());
        double[] places = [.. figure.Descendants("text").Where(text => ((string)text.Attribute("class")!)
            .StartsWith("label", StringComparison.Ordinal))
            .Select(text => double.Parse((string)text.Attribute("y")!, CultureInfo.InvariantCulture)).Order()];
        Assert.Equal(4, places.Length);
        Assert.All(places.Zip(places.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 30));
    }

    [Fact]
    public void A_heat_map_has_text_and_figures_for_its_colours()
    {
        var map = new HeatMap
        {
            Id = "load",
            Title = "Load",
            Description = "d",
            RowName = "layer",
            CellName = "expert",
            Figures = ["unused"],
            Rows = [new HeatRow("3", [0, 1, 2.5, 0.5], ["1"])],
        };
        XElement row = Parse(map.ToMarkup()).Descendants("tbody").First().Elements("tr").Single();
        Assert.Equal("3", row.Element("th")!.Value);
        XElement strip = row.Descendants("svg").Single();
        Assert.Equal("expert 2 has the most, 2.50 of the even share; expert 0 the least, 0.00", (string?)strip.Attribute("aria-label"));
        Assert.Equal(["h0", "h4", "h6", "h3"], strip.Elements("rect").Select(cell => (string)cell.Attribute("class")!));
        Assert.Equal("1", row.Elements("td").Last().Value);
    }

    [Fact]
    public void The_heat_map_of_a_large_model_is_small()
    {
        double[] even = [.. Enumerable.Repeat(1.0, 256)];
        var map = new HeatMap
        {
            Id = "load",
            Title = "Load",
            Description = "d",
            RowName = "layer",
            CellName = "expert",
            Figures = [],
            Rows = [.. Enumerable.Range(0, 80).Select(layer => new HeatRow($"{layer}", even, []))],
        };
        Assert.InRange(map.ToMarkup().Html.Length, 1000, 100_000);
    }

    [Fact]
    public void Bars_are_in_proportion_to_the_longest_bar()
    {
        var chart = new BarChart
        {
            Id = "b",
            Title = "t",
            RowName = "operation",
            Figures = ["s"],
            Bars = [new Bar("a", 4, ["4"]), new Bar("b", 1, ["1"]), new Bar("c", 0, ["0"])]
        };
        Assert.Equal(["100%", "25%", "0%"], Parse(chart.ToMarkup()).Descendants("rect").Select(bar => (string)bar.Attribute("width")!));
    }

    [Fact]
    public void The_roofline_is_the_slower_of_arithmetic_and_memory()
    {
        var profile = new Profile(1, 1, 100, 10, []);
        Assert.Equal(2, profile.RooflineSeconds(new ProfiledOperation("matmul", 3, 1, 200e9, 1e9)));
        Assert.Equal(5, profile.RooflineSeconds(new ProfiledOperation("norm", 6, 1, 1e9, 50e9)));
        Assert.Null((profile with { PeakGflops = null, PeakGigabytesPerSecond = null })
            .RooflineSeconds(new ProfiledOperation("x", 1, 1, 1, 1)));
        Profile read = Profile.Parse((profile with { Operations = [new ProfiledOperation("x", 1, 2, 3, 4)] }).ToJson());
        Assert.Equal(new ProfiledOperation("x", 1, 2, 3, 4), read.Operations.Single());
    }

    private static Curve Falling(int points)
    {
        var curve = new Curve();
        for (int x = 1; x <= points; x++)
        {
            curve.Add(x, 8 - (6.0 * x / points));
        }

        return curve;
    }

    private static XElement Parse(Markup markup) => XElement.Parse(markup.Html);
}
