using System.Text;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public sealed class XmlDocumentationTests
{
    private const string Sample = """
        <doc><assembly><name>A</name></assembly><members>
          <member name="T:System.IO.Stream"><summary>Provides a
              view of <c>bytes</c>; see <see cref="T:System.IO.File"/>.</summary></member>
          <member name="M:System.IO.Stream.Read(System.Byte[],System.Int32,System.Int32)">
            <summary>Reads into <paramref name="buffer"/> until <see langword="null" />.</summary>
            <param name="buffer">Where to.</param><param name="offset">From where.</param><param name="count">At most.</param>
            <returns>How many.</returns>
            <exception cref="T:System.ArgumentNullException"><paramref name="buffer"/> is null.</exception>
            <remarks><para>One.</para><para>Two.<code>
        a = 1;
          b = 2;</code></para><list><item><term>x</term><description>first</description></item></list></remarks>
          </member>
          <member name="T:System.Collections.Generic.List`1"><typeparam name="TItem">Of what.</typeparam><summary>A list.</summary></member>
          <member name="M:System.IO.Stream.ReadByte"><summary>Reads one.</summary></member>
          <member name="M:System.Collections.Generic.List`1.#ctor(System.Collections.Generic.IEnumerable{`0})"><summary>Copies.</summary>
            <param name="items">Items.</param></member>
          <member name="M:System.Collections.Generic.List`1.ConvertAll``1(System.Converter{`0,``0})">
            <summary>Converts.</summary><typeparam name="TOut">To.</typeparam><param name="converter">How.</param></member>
          <member name="P:System.Collections.Generic.List`1.System#Collections#IList#IsFixedSize">
            <summary>Whether it grows.</summary></member>
          <member name="P:System.IO.Stream.CanRead"><summary>Reads one.</summary></member>
        </members></doc>
        """;

    private static string[] Read(string xml, CorpusReport? report = null) =>
        [.. new XmlDocumentation(report ?? new CorpusReport()).Read(new MemoryStream(Encoding.UTF8.GetBytes(xml)))];

    [Fact]
    public void A_type_is_a_document_with_its_members_below()
    {
        string[] documents = Read(Sample);
        Assert.Equal(2, documents.Length);
        Assert.Equal("""
            System.IO.Stream
            Provides a view of bytes; see File.

            Stream.Read(byte[] buffer, int offset, int count)
            Reads into buffer until null.
            buffer: Where to.
            offset: From where.
            count: At most.
            Returns: How many.
            Throws ArgumentNullException: buffer is null.
            One.
            Two.
            a = 1;
              b = 2;
            x: first

            Stream.ReadByte()
            Reads one.

            """, documents[0]);
        Assert.Equal("""
            System.Collections.Generic.List<TItem>
            TItem: Of what.
            A list.

            new List<TItem>(IEnumerable<TItem> items)
            Copies.
            items: Items.

            List<TItem>.ConvertAll<TOut>(Converter<TItem, TOut> converter)
            Converts.
            TOut: To.
            converter: How.

            List<TItem>.IsFixedSize
            Whether it grows.

            """, documents[1]);
    }

    [Fact]
    public void A_member_that_repeats_a_text_is_left_out_and_counted()
    {
        var report = new CorpusReport();
        Assert.DoesNotContain("CanRead", string.Concat(Read(Sample, report)));
        Assert.Equal((1, "Reads one.".Length), (report.DuplicateMembers, report.DuplicateBytes));
    }

    [Theory]
    [InlineData("T:System.IO.Stream", "Stream")]
    [InlineData("T:System.Collections.Generic.List`1", "List<T>")]
    [InlineData("T:System.Collections.Generic.Dictionary`2.Enumerator", "Dictionary<T1, T2>.Enumerator")]
    [InlineData("M:System.IO.Stream.Read(System.Byte[])", "Stream.Read")]
    [InlineData("F:System.Int32.MaxValue", "Int32.MaxValue")]
    [InlineData("N:System.IO", "IO")]
    [InlineData("Stream", "Stream")]
    [InlineData("!:unresolved", "unresolved")]
    public void References_are_short(string reference, string expected) => Assert.Equal(expected, MemberId.ShortReference(reference));

    [Theory]
    [InlineData("System.Int32@,System.Char*", "ref int,char*")]
    [InlineData("System.Int32[0:,0:],System.String[][]", "int[,],string[][]")]
    [InlineData("System.Func{System.Collections.Generic.List{``0},`0},A.B", "Func<List<M>, C>,B")]
    [InlineData("System.Nullable{System.Int64}", "Nullable<long>")]
    [InlineData("A{B", "A<B>")]
    [InlineData("}}{{[,", null)]
    public void Signatures_read_as_types(string signature, string? expected)
    {
        string[] types = new SignatureReader(signature, ["C"], ["M"]).ReadTypes();
        if (expected is not null)
        {
            Assert.Equal(expected, string.Join(',', types));
        }
    }

    [Theory]
    [InlineData("<doc><members>", "not well-formed XML")]
    [InlineData("<project/>", "the root is <project>")]
    [InlineData("<!DOCTYPE doc [<!ENTITY a \"b\">]><doc/>", "not well-formed XML")]
    public void Other_xml_is_reported_and_left_out(string xml, string expected)
    {
        string folder = Directory.CreateTempSubdirectory("lingotto-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "a.xml"), xml);
            File.WriteAllText(Path.Combine(folder, "b.txt"), "text");
            var report = new CorpusReport();
            Assert.Equal("text", Assert.Single(Corpus.Read([folder], report)).Text);
            ReasonCount reason = Assert.Single(report.ByReason);
            Assert.Equal(Reasons.InvalidXml, reason.Reason);
            Assert.Contains(expected, Assert.Single(reason.Examples));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Reference_packs_are_found_newest_version_only()
    {
        string root = Directory.CreateTempSubdirectory("lingotto-").FullName;
        try
        {
            foreach (string version in (string[])["9.0.12", "10.0.0-rc.1", "10.0.0"])
            {
                Touch(Path.Combine(root, "packs", "Microsoft.NETCore.App.Ref", version, "ref", "net10.0", $"{version}.xml"));
            }

            Touch(Path.Combine(root, "packs", "Microsoft.NETCore.App.Ref", "10.0.0", "data", "FrameworkList.xml"));
            Touch(Path.Combine(root, "packages", "alpha", "2.0.0", "lib", "net8.0", "Alpha.xml"));
            Touch(Path.Combine(root, "packages", "alpha", "10.0.0", "lib", "net8.0", "Alpha.xml"));
            string packages = Path.Combine(root, "packages");
            Assert.Equal(["10.0.0.xml"], DotNetDocs.Find([root], packages).Select(Path.GetFileName));
            Assert.Contains("10.0.0", Assert.Single(DotNetDocs.Find([], packages)));
            Assert.Contains("--data", Assert.Throws<FileNotFoundException>(() => DotNetDocs.Find([], Path.Combine(root, "none"))).Message);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Touch(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
    }
}
