using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Lingotto.Formats;

/// <summary>Names of unfinished siblings: ".tmp-NAME-RANDOM", RANDOM being 16 hexadecimal digits.</summary>
internal static partial class TemporaryName
{
    /// <summary>A fresh name in the folder of <paramref name="path"/>.</summary>
    public static string Beside(string path) => Path.Combine(
        Path.GetDirectoryName(path)!, $".tmp-{Path.GetFileName(path)}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}");

    /// <summary>True for names made by <see cref="Beside"/>.</summary>
    public static bool Matches(string name) => Pattern().IsMatch(name);

    [GeneratedRegex(@"^\.tmp-.+-[0-9a-f]{16}\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Pattern();
}
