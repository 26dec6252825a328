using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>
/// Asks the chip to bring lines closer before they are needed. Hints only: any address is allowed, no result depends on them.
/// </summary>
internal static unsafe class CacheHints
{
    private const int LineFloats = 16;

    /// <summary>The line at p into the first-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToFirstLevel(float* p)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(p);
        }
    }

    /// <summary>A run of floats into the second-level cache.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ToSecondLevel(float* p, int floats)
    {
        if (Sse.IsSupported)
        {
            for (int i = 0; i < floats; i += LineFloats)
            {
                Sse.Prefetch1(p + i);
            }
        }
    }
}
