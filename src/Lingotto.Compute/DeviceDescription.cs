namespace Lingotto.Compute;

/// <summary>What a device is, as far as it is fixed once the device is open.</summary>
/// <param name="Name">The chip, the threads and the vector path in one line for the user.</param>
/// <param name="TotalBytes">Memory that this process may use in all.</param>
/// <param name="Workers">Threads or units that share an operation; each has a lane in a trace.</param>
/// <param name="InstructionSet">The vector path of the kernels, such as <c>Avx2</c>; null where the term does not apply.</param>
/// <param name="F32">How matmuls in F32 run.</param>
/// <param name="Bf16">How matmuls in BF16 run.</param>
public sealed record DeviceDescription(
    string Name, long TotalBytes, int Workers, string? InstructionSet, MatMulPath F32, MatMulPath Bf16);

/// <summary>The kernels that one precision of matmul runs on.</summary>
/// <param name="Kernels">The kernels in use, in words.</param>
/// <param name="Refusal">Why a faster path was refused; null if the fastest one of this library runs.</param>
public sealed record MatMulPath(string Kernels, string? Refusal)
{
    /// <summary>The kernels, and why no faster ones run.</summary>
    public override string ToString() => Refusal is null ? Kernels : $"{Kernels}: {Refusal}";
}
