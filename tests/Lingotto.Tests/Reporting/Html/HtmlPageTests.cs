using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Lingotto.Reporting;
using Xunit;

namespace Lingotto.Tests.Reporting;

/// <summary>Tests escaping, content security policy and structure of HTML pages, and number formats.</summary>
public sealed partial class HtmlPageTests
{
    private const string Hostile = "\u0014<script>alert(\"x\")</script> & 'y' <img src=http://example.com/a>";

    [Fact]
    public void Text_is_never_markup()
    {
        var body = new HtmlWriter();
        body.Write($"<p title=\"{Hostile}\">{Hostile} {1234.5:0.0}</p>");
        body.Write(new FactList([new Fact(Hostile, Hostile, Hostile)]).ToMarkup());
        body.Write(new DataTable(Hostile, [new Column(Hostile)], [[Hostile]]).ToMarkup());
        var curve = new Curve();
        curve.Add(1, 2);
        body.Write(new LineChart
        {
            Id = "c",
            Title = Hostile,
            Description = Hostile,
            Series = [new Series(Hostile, curve)],
            Events = [new ChartEvent(1, Hostile)]
        }.ToMarkup());
        string page = Write(PageOf(body.ToMarkup()));
        Assert.DoesNotContain("<script>alert", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", page, StringComparison.Ordinal);
        XElement parsed = Body(page);
        string visible = Hostile.Replace('\u0014', '\ufffd');
        Assert.Equal(visible, (string?)parsed.Descendants("p").First(p => p.Attribute("title") is not null).Attribute("title"));
        Assert.Contains(parsed.Descendants("th"), cell => cell.Value == visible);
    }

    [Fact]
    public void The_policy_of_a_page_allows_only_its_own_style()
    {
        string page = Write(PageOf(default) with { Title = "Run", Summary = new HtmlSection("summary", "Run", default) });
        string style = Style().Match(page).Groups[1].Value;
        string hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        Assert.Contains($"default-src &#39;none&#39;; style-src &#39;sha256-{hash}&#39;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("""(src|href)="(?!#)""", page);
        Assert.DoesNotMatch("""\sstyle=|url\(|@import|https?:""", page);
    }

    [Fact]
    public void A_page_has_headings_landmarks_and_a_skip_link()
    {
        XElement body = Body(Write(PageOf(default)));
        Assert.Equal(["h1", "h2"], body.Descendants().Select(element => element.Name.LocalName)
            .Where(name => name.Length == 2 && name[0] == 'h' && char.IsDigit(name[1])));
        Assert.Equal("#main", (string?)body.Elements().First().Attribute("href"));
        Assert.All(["header", "nav", "main", "footer"], landmark => Assert.Single(body.Elements(landmark)));
        Assert.Equal("#part", (string?)body.Element("nav")!.Descendants("a").Single().Attribute("href"));
    }

    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.00012345, "0.000123")]
    [InlineData(3.14159, "3.142")]
    [InlineData(65.4321, "65.43")]
    [InlineData(1234567, "1,234,567")]
    [InlineData(double.NaN, "\u2013")]
    public void Numbers_have_about_four_digits(double value, string expected) => Assert.Equal(expected, NumberText.Of(value));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(512, "512 B")]
    [InlineData(1234567, "1.23 MB")]
    [InlineData(79.96e9, "80 GB")]
    [InlineData(999.9e9, "1 TB")]
    public void Bytes_have_the_unit_of_their_size(double bytes, string expected) => Assert.Equal(expected, NumberText.DecimalBytes(bytes));

    [Fact]
    public void Small_amounts_are_not_rounded_to_zero()
    {
        Assert.Equal("16.4 MFLOP", NumberText.Flops(16.4e6));
        Assert.Equal("3.2 us", NumberText.Seconds(3.2e-6));
        Assert.Equal("4.1 ms", NumberText.Duration(0.0041));
        Assert.Equal("0 s", NumberText.Duration(0));
        Assert.Equal("0.00012 CNY", NumberText.Money(0.00012, "CNY"));
        Assert.Equal("0.5 Wh", NumberText.Energy(0.0005));
        Assert.Equal("0.25", NumberText.Short(0.25));
        Assert.Equal("1.2e-9", NumberText.Digits(1.2e-9, 3));
    }

    private static HtmlPage PageOf(Markup body) => new()
    {
        Title = Hostile,
        Summary = new HtmlSection("summary", Hostile, default),
        Sections = [new HtmlSection("part", "Part", body)]
    };

    private static string Write(HtmlPage page)
    {
        using var text = new StringWriter();
        page.Write(text);
        return text.ToString();
    }

    private static XElement Body(string page) => XElement.Parse(page[page.IndexOf("<body>", StringComparison.Ordinal)..page.LastIndexOf("</html>", StringComparison.Ordinal)]);

    [GeneratedRegex("<style>(.*?)</style>", RegexOptions.Singleline)]
    private static partial Regex Style();
}
