using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Lingotto.Reporting;

/// <summary>Writes HTML from interpolated strings: what stands in braces is escaped, unless it is <see cref="Markup"/>.</summary>
public sealed class HtmlWriter
{
    private readonly StringBuilder _html = new();

    /// <summary>Appends; holes are escaped for text and for attributes in double quotes, numbers are written invariantly.</summary>
    public void Write([InterpolatedStringHandlerArgument("")] ref HtmlInterpolation html) => html.EndLine(_html);

    /// <summary>Appends what another writer made.</summary>
    public void Write(Markup html) => _html.Append(html.Html);

    /// <summary>What was written so far.</summary>
    public Markup ToMarkup() => new(_html.ToString());

    /// <summary>The parts of an interpolated string on their way to the writer.</summary>
    [InterpolatedStringHandler]
    public readonly ref struct HtmlInterpolation
    {
        private readonly StringBuilder _html;

        /// <summary>Called by the compiler.</summary>
        public HtmlInterpolation(int literalLength, int formattedCount, HtmlWriter writer)
        {
            ArgumentNullException.ThrowIfNull(writer);
            _html = writer._html;
            _html.EnsureCapacity(_html.Length + literalLength + (8 * formattedCount));
        }

        /// <summary>Markup between the holes.</summary>
        public void AppendLiteral(string value) => _html.Append(value);

        /// <summary>Text: escaped, control characters replaced, for HTML has none.</summary>
        public void AppendFormatted(string? value) => _html.Append(WebUtility.HtmlEncode(Printable(value)));

        /// <summary>Markup: as it stands.</summary>
        public void AppendFormatted(Markup value) => _html.Append(value.Html);

        /// <summary>A number or another value: invariant, escaped.</summary>
        public void AppendFormatted<T>(T value, string? format = null) =>
            AppendFormatted(value is IFormattable number ? number.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());

        private static string? Printable(string? value) => value is null || !value.Any(IsControl) ? value
            : string.Create(value.Length, value, (text, source) =>
            {
                for (int i = 0; i < text.Length; i++)
                    text[i] = IsControl(source[i]) ? '\ufffd' : source[i];
            });

        private static bool IsControl(char c) => (char.IsControl(c) && c is not ('\t' or '\n' or '\r')) || c >= '\ufffe';

        internal void EndLine(StringBuilder html)
        {
            Debug.Assert(ReferenceEquals(html, _html));
            html.Append('\n');
        }
    }
}
