using System.Buffers;
using System.Text;
using System.Xml.Linq;

namespace Lingotto.Text;

/// <summary>The readable text of one documented member.</summary>
internal static class DocumentationText
{
    private static readonly SearchValues<char> s_whiteSpace =
        SearchValues.Create([.. Enumerable.Range(0, char.MaxValue + 1).Select(value => (char)value).Where(char.IsWhiteSpace)]);

    public static string[] NamesOf(XElement member, string element) =>
        [.. member.Elements(element).Select(child => (string?)child.Attribute("name") ?? "").Where(name => name.Length > 0)];

    /// <summary>Summary, parameters, result, exceptions, remarks; a line or a few each.</summary>
    public static string Of(XElement member)
    {
        var text = new StringBuilder();
        foreach (XElement section in member.Elements())
        {
            string body = Flatten(section);
            if (body.Length == 0)
            {
                continue;
            }

            string? label = section.Name.LocalName switch
            {
                "param" or "typeparam" => (string?)section.Attribute("name"),
                "returns" => "Returns",
                "value" => "Value",
                "exception" => "Throws " + ReferenceName(section),
                _ => null,
            };
            text.Append(text.Length == 0 ? "" : "\n").Append(label is null ? "" : label + ": ").Append(body);
        }

        return text.ToString();
    }

    private static string Flatten(XElement section)
    {
        var text = new StringBuilder();
        Append(section, text);
        return Tidy(text.ToString());
    }

    private static void Append(XElement element, StringBuilder text)
    {
        foreach (XNode node in element.Nodes())
        {
            if (node is XText characters)
            {
                AppendProse(characters.Value, text);
            }
            else if (node is XElement child)
            {
                AppendElement(child, text);
            }
        }
    }

    private static void AppendElement(XElement element, StringBuilder text)
    {
        switch (element.Name.LocalName)
        {
            case "see" or "seealso" or "xref" or "paramref" or "typeparamref" when element.IsEmpty || element.Value.Length == 0:
                text.Append(ReferenceName(element));
                break;
            case "code":
                text.Append('\n').Append(element.Value.Trim('\r', '\n')).Append('\n');
                break;
            case "br":
                text.Append('\n');
                break;
            case "para" or "p" or "item" or "li" or "listheader" or "div" or "list" or "ul":
                text.Append('\n');
                Append(element, text);
                text.Append('\n');
                break;
            case "term":
                Append(element, text);
                text.Append(": ");
                break;
            default:
                Append(element, text);
                break;
        }
    }

    /// <summary>Appends the words; whitespace before, between and after words becomes one space.</summary>
    private static void AppendProse(ReadOnlySpan<char> value, StringBuilder text)
    {
        while (!value.IsEmpty)
        {
            ReadOnlySpan<char> words = value.TrimStart();
            if (words.Length < value.Length && text.Length > 0 && text[^1] is not (' ' or '\n'))
            {
                text.Append(' ');
            }

            int end = words.IndexOfAny(s_whiteSpace);
            value = end < 0 ? [] : words[end..];
            text.Append(end < 0 ? words : words[..end]);
        }
    }

    private static string ReferenceName(XElement element)
    {
        string? name = (string?)element.Attribute("name") ?? (string?)element.Attribute("langword") ?? (string?)element.Attribute("href");
        string? reference = (string?)element.Attribute("cref") ?? (string?)element.Attribute("uid");
        return name ?? (reference is null ? "" : MemberId.ShortReference(reference));
    }

    /// <summary>No blank lines and no space at the end of a line.</summary>
    private static string Tidy(string text) => text.Contains('\n', StringComparison.Ordinal)
        ? string.Join('\n', text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)).Trim()
        : text.Trim();
}
