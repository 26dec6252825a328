using System.Net;
using Microsoft.AspNetCore.Http;

namespace Lingotto.Server;

/// <summary>
/// Lets in what a browser on this machine asks of this page itself. A name that a foreign site points at 127.0.0.1 (DNS rebinding)
/// and a script of a foreign site are refused; so is every method that is not reading.
/// </summary>
internal static class LoopbackGuard
{
    /// <summary>The status to refuse with; null to go on.</summary>
    public static int? Refusal(HttpRequest request)
    {
        if (!IsLoopback(request.Host.Host))
        {
            return StatusCodes.Status403Forbidden;
        }
        string? origin = request.Headers.Origin;
        if (origin is not null && !(Uri.TryCreate(origin, UriKind.Absolute, out Uri? from) && from.Authority == request.Host.Value))
        {
            return StatusCodes.Status403Forbidden;
        }
        return HttpMethods.IsGet(request.Method) ? null : StatusCodes.Status405MethodNotAllowed;
    }

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));
}
