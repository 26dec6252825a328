using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>Which vector width the kernels run at.</summary>
public enum Isa
{
    /// <summary>128-bit vectors: any chip; software where the runtime has no intrinsics.</summary>
    Vector128,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2,

    /// <summary>512-bit vectors.</summary>
    Avx512,
}

/// <summary>The choice of <see cref="Isa"/>, made once when a device is created.</summary>
public static class IsaChoice
{
    /// <summary>Environment variable that forces a path: vector128, avx2 or avx512.</summary>
    public const string Variable = "LINGOTTO_ISA";

    /// <summary>
    /// The widest path of this chip. Vector512.IsHardwareAccelerated is not asked: the runtime answers no on chips that lower
    /// their clock under 512-bit code (Skylake-X, Cascade Lake), where matmuls are still much faster at that width.
    /// </summary>
    public static Isa Widest =>
        Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported ? Isa.Avx512
        : Vector256.IsHardwareAccelerated && Fma.IsSupported ? Isa.Avx2
        : Isa.Vector128;

    /// <summary>The path to run: the widest one, or what <see cref="Variable"/> asks for.</summary>
    /// <exception cref="PlatformNotSupportedException">The variable names a path this chip lacks, or none.</exception>
    public static Isa Select()
    {
        string? asked = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(asked))
        {
            return Widest;
        }

        if (!Enum.TryParse(asked, ignoreCase: true, out Isa isa) || !Enum.IsDefined(isa))
        {
            throw new PlatformNotSupportedException($"{Variable}={asked} names no path: use vector128, avx2 or avx512, or unset it.");
        }

        return isa <= Widest
            ? isa
            : throw new PlatformNotSupportedException(
                $"{Variable}={asked} is not available on this chip: the widest path is {Widest}; unset it.");
    }
}
