using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Lingotto.Formats;

/// <summary>Names of unfinished siblings: ".tmp-NAME-RANDOM", RANDOM being 16 hexadecimal digits.</summary>
internal static partial class TemporaryName
{
    /// <summary>A fresh name in the folder of <paramref name="path"/>.</summary>
    public static string NextTo(string path) => Path.Combine(
        Path.GetDirectoryName(path)!, $".tmp-{Path.GetFileName(path)}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");

    /// <summary>True for names made by <see cref="NextTo"/>.</summary>
    public static bool Matches(string name) => Pattern().IsMatch(name);

    /// <summary>A failing disk must not hide the fault that brought us here; what stays is swept later.</summary>
    public static bool TryDelete(IDisk disk, string path)
    {
        try
        {
            disk.Delete(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"^\.tmp-.+-[0-9a-f]{16}\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Pattern();
}
