namespace Lingotto.Compute;

/// <summary>Opens a device by its specification: the only place outside tests that constructs one.</summary>
public static class DeviceSelection
{
    /// <summary>The processor of this machine at its widest vector path, or at the one that LINGOTTO_ISA forces.</summary>
    public const string Cpu = "cpu";

    /// <summary>Every operation by its formula in double precision, to check others with.</summary>
    public const string Reference = "reference";

    /// <summary>Environment variable that forces the vector path of <see cref="Cpu"/>.</summary>
    public const string PathVariable = IsaChoice.Variable;

    /// <summary>The specifications that <see cref="Open"/> accepts on this machine, the fastest path of the processor first.</summary>
    public static IReadOnlyList<string> Available =>
        [Cpu, .. Enum.GetValues<Isa>().Where(isa => isa <= IsaChoice.Widest).OrderDescending().Select(SpecOf), Reference];

    /// <summary>Opens a device. The caller disposes of it.</summary>
    /// <param name="spec">One of <see cref="Available"/>, in any case.</param>
    /// <param name="threads">Threads of a processor; 0 takes every one that the process may use.</param>
    /// <exception cref="PlatformNotSupportedException">This machine has no such device; the message lists those it has.</exception>
    public static Device Open(string spec = Cpu, int threads = 0)
    {
        ArgumentNullException.ThrowIfNull(spec);
        string name = spec.ToLowerInvariant();
        if (!Available.Contains(name))
        {
            throw new PlatformNotSupportedException($"There is no device '{spec}' on this machine: use {string.Join(", ", Available)}.");
        }

        return name switch
        {
            Cpu => new CpuDevice(threads),
            Reference => new ReferenceDevice(),
            _ => new CpuDevice(threads, Enum.GetValues<Isa>().Single(isa => SpecOf(isa) == name), bytes => new HostBlock(bytes)),
        };
    }

    private static string SpecOf(Isa isa) => $"{Cpu}:{isa.ToString().ToLowerInvariant()}";
}
