using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lingotto.Cli;

/// <summary>JSON printed for programs and read by people too.</summary>
internal static class JsonText
{
    /// <summary>One line; only what JSON itself requires is escaped, for this is no part of a web page.</summary>
    public static JsonSerializerOptions Readable { get; } =
        new(RunViewJson.Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
