using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;

namespace Lingotto.Reporting;

/// <summary>Writes HTML from interpolated strings. Values in braces are escaped, except <see cref="Markup"/>.</summary>
public sealed class HtmlWriter
{
    private readonly StringBuilder _html = new();

    /// <summary>
    /// Appends an interpolated string. Values are escaped for text and for attributes in double quotes; numbers are culture-invariant.
    /// </summary>
    public void Write([InterpolatedStringHandlerArgument("")] ref HtmlInterpolation html) => html.EndLine(_html);

    /// <summary>Appends the markup of another writer.</summary>
    public void Write(Markup html) => _html.Append(html.Html);

    /// <summary>Returns the HTML written so far.</summary>
    public Markup ToMarkup() => new(_html.ToString());

    /// <summary>Receives the parts of an interpolated string.</summary>
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

        /// <summary>Appends markup between values.</summary>
        public void AppendLiteral(string value) => _html.Append(value);

        /// <summary>Appends text, escaped, with control characters replaced, because HTML has none.</summary>
        public void AppendFormatted(string? value) => _html.Append(WebUtility.HtmlEncode(Printable(value)));

        /// <summary>Appends markup unchanged.</summary>
        public void AppendFormatted(Markup value) => _html.Append(value.Html);

        /// <summary>Appends a number or another value, culture-invariant and escaped.</summary>
        public void AppendFormatted<T>(T value, string? format = null) =>
            AppendFormatted(value is IFormattable number ? number.ToString(format, CultureInfo.InvariantCulture) : value?.ToString());

        private static string? Printable(string? value) => value is null || !value.Any(IsControl) ? value
            : string.Create(value.Length, value, (text, source) =>
            {
                for (int i = 0; i < text.Length; i++)
                {
                    text[i] = IsControl(source[i]) ? '\ufffd' : source[i];
                }
            });

        private static bool IsControl(char c) => (char.IsControl(c) && c is not ('\t' or '\n' or '\r')) || c >= '\ufffe';

        internal void EndLine(StringBuilder html)
        {
            Debug.Assert(ReferenceEquals(html, _html));
            html.Append('\n');
        }
    }
}
