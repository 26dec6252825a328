using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>What the chip says of its caches.</summary>
internal static class CacheGeometry
{
    private const int DeterministicParameters = 4, CacheProperties = unchecked((int)0x8000001D), VendorAmd = 0x68747541;

    /// <summary>Lines of the first-level data cache that addresses of one set can hold at once; 8 where the chip does not say.</summary>
    public static int FirstLevelWays { get; } = Ways();

    /// <summary>
    /// CPUID leaf 4 (Intel) or 8000001D (AMD), subleaf 0 the first-level data cache, EBX bits 31 to 22 the ways less one.
    /// </summary>
    private static int Ways()
    {
        const int Unknown = 8;
        if (!X86Base.IsSupported)
        {
            return Unknown;
        }

        int leaf = X86Base.CpuId(0, 0).Ebx == VendorAmd ? CacheProperties : DeterministicParameters;
        (int eax, int ebx, _, _) = X86Base.CpuId(leaf, 0);
        return (eax & 0x1F) == 0 ? Unknown : (int)((uint)ebx >> 22) + 1;
    }
}
