using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace Lingotto.Text;

/// <summary>Reads the XML documentation of .NET assemblies: a document per type, the members of the type below.</summary>
/// <remarks>About half of all members repeat a text (overloads, inherited members, packs), so each text is kept once.</remarks>
internal sealed class XmlDocumentation(CorpusReport report)
{
    private static readonly XmlReaderSettings s_settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreComments = true,
    };

    private readonly HashSet<UInt128> _seenTexts = [];

    /// <summary>Reads the documents of a file, up to the first place that is not well-formed.</summary>
    /// <exception cref="DamagedFileException">The file is not the XML documentation of an assembly, or is damaged.</exception>
    public IEnumerable<string> Read(Stream stream)
    {
        var types = new OrderedDictionary<string, List<(MemberId Id, XElement Element)>>();
        DamagedFileException? damage = null;
        try
        {
            ReadMembers(stream, types);
        }
        catch (XmlException fault)
        {
            damage = new DamagedFileException(
                Reasons.InvalidXml, $"not well-formed XML from line {fault.LineNumber} on; restore the file from a copy", fault);
        }
        catch (DamagedFileException fault)
        {
            damage = fault;
        }

        foreach ((string type, List<(MemberId Id, XElement Element)> members) in types)
        {
            if (Compose(type, members) is { Length: > 0 } text)
            {
                yield return text;
            }
        }

        if (damage is not null)
        {
            throw damage;
        }
    }

    private static void ReadMembers(Stream stream, OrderedDictionary<string, List<(MemberId Id, XElement Element)>> types)
    {
        using var reader = XmlReader.Create(stream, s_settings);
        reader.MoveToContent();
        if (reader.LocalName != "doc")
        {
            throw new DamagedFileException(
                Reasons.InvalidXml, $"the root is <{reader.LocalName}>, not the <doc> of an XML documentation file; remove the file");
        }

        while (!reader.EOF)
        {
            if (reader.NodeType != XmlNodeType.Element || reader.LocalName != "member")
            {
                reader.Read();
                continue;
            }

            var member = (XElement)XNode.ReadFrom(reader);
            if (MemberId.TryParse((string?)member.Attribute("name"), out MemberId id))
            {
                if (!types.TryGetValue(id.TypeName, out List<(MemberId Id, XElement Element)>? members))
                {
                    types.Add(id.TypeName, members = []);
                }

                members.Add((id, member));
            }
        }
    }

    private string Compose(string typeName, List<(MemberId Id, XElement Element)> members)
    {
        XElement? type = members.Find(member => member.Id.Kind == 'T').Element;
        string[] typeParameters = type is null ? [] : DocumentationText.NamesOf(type, "typeparam");
        var text = new StringBuilder();
        foreach ((MemberId id, XElement member) in members.OrderBy(member => member.Id.Kind != 'T'))
        {
            string body = DocumentationText.Of(member);
            if (body.Length == 0 || IsDuplicate(body))
            {
                continue;
            }

            if (id.Kind != 'T')
            {
                text.Append('\n').Append(Heading(id, member, typeParameters)).Append('\n');
            }

            text.Append(body).Append('\n');
        }

        return text.Length == 0 ? "" : $"{MemberId.FullTypeName(typeName, typeParameters)}\n{text}";
    }

    private static string Heading(MemberId id, XElement member, string[] typeParameters) =>
        id.Heading(typeParameters, DocumentationText.NamesOf(member, "typeparam"), DocumentationText.NamesOf(member, "param"));

    private bool IsDuplicate(string body)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(body);
        if (_seenTexts.Add(TextHash.Of(utf8)))
        {
            return false;
        }

        report.AddDuplicateMember(utf8.Length);
        return true;
    }
}
