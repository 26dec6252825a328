namespace Lingotto.Planning;

/// <summary>Rates of a device with efficiencies applied. The cost formulas divide by these rates.</summary>
public readonly record struct DeviceRates
{
    /// <summary>Dense BF16 peak of the data sheet, FLOP/s: the denominator of MFU.</summary>
    public required double PeakFlops { get; init; }

    /// <summary>Peak of the operand format, FLOP/s: the roofline.</summary>
    public required double PeakOperandFlops { get; init; }

    /// <summary>Rate of large matmuls, FLOP/s.</summary>
    public required double MatmulFlops { get; init; }

    /// <summary>Rate of attention scores and values, FLOP/s.</summary>
    public required double AttentionFlops { get; init; }

    /// <summary>Memory size, bytes.</summary>
    public required double MemoryBytes { get; init; }

    /// <summary>Memory bandwidth, bytes/s.</summary>
    public required double MemoryBytesPerSecond { get; init; }

    /// <summary>Bandwidth inside a node per device, bytes/s in one direction.</summary>
    public required double IntraBytesPerSecond { get; init; }

    /// <summary>Bandwidth between nodes per device, bytes/s in one direction.</summary>
    public required double InterBytesPerSecond { get; init; }

    /// <summary>Devices per node.</summary>
    public required int NodeDevices { get; init; }

    /// <summary>
    /// True if all devices of a node share one port, so that fewer senders get more bandwidth each; false if each device has its own port.
    /// </summary>
    public bool SharesPort { get; init; }

    /// <summary>Returns the bandwidth between nodes of one device, bytes/s, while a given number of devices of its node send.</summary>
    internal double InterBytesPerSecondOf(int senders) =>
        SharesPort ? InterBytesPerSecond * NodeDevices / Math.Clamp(senders, 1, NodeDevices) : InterBytesPerSecond;

    /// <summary>Ramp-up and tail of one kernel on the device, s.</summary>
    public required double KernelSeconds { get; init; }

    /// <summary>Time of the host to launch the forward of one layer, s: the lower limit for small layers.</summary>
    public required double HostSeconds { get; init; }

    /// <summary>Factor on kernel and host times that depends on the software release; 1 at the mean date of the measurements.</summary>
    public double ReleaseFactor { get; init; }
}
