namespace Lingotto.Planning;

/// <summary>What a device does in a second, efficiencies applied: the numbers that every formula here divides by.</summary>
public readonly record struct DeviceRates
{
    /// <summary>Dense BF16 peak of the data sheet, FLOP/s: the denominator of MFU.</summary>
    public required double PeakFlops { get; init; }

    /// <summary>Peak of the operand format in use, FLOP/s: the roofline.</summary>
    public required double PeakOperandFlops { get; init; }

    /// <summary>Large matrix products, FLOP/s.</summary>
    public required double MatmulFlops { get; init; }

    /// <summary>Attention scores and mixing, FLOP/s.</summary>
    public required double AttentionFlops { get; init; }

    /// <summary>Memory, bytes.</summary>
    public required double MemoryBytes { get; init; }

    /// <summary>Memory traffic, bytes/s.</summary>
    public required double MemoryBytesPerSecond { get; init; }

    /// <summary>Link inside a node, bytes/s one way.</summary>
    public required double IntraBytesPerSecond { get; init; }

    /// <summary>Link between nodes, bytes/s one way and device.</summary>
    public required double InterBytesPerSecond { get; init; }

    /// <summary>Devices of a node.</summary>
    public required int NodeDevices { get; init; }

    /// <summary>All devices of a node send through one port, which fewer senders share among fewer; false for a port each.</summary>
    public bool SharesPort { get; init; }

    /// <summary>Bytes/s between nodes of one device while so many of its node send.</summary>
    internal double InterBytesPerSecondOf(int senders) =>
        SharesPort ? InterBytesPerSecond * NodeDevices / Math.Clamp(senders, 1, NodeDevices) : InterBytesPerSecond;

    /// <summary>Ramp-up and tail of one kernel on the device, s.</summary>
    public required double KernelSeconds { get; init; }

    /// <summary>The host's time to issue the forward of one layer, s: a floor under small layers.</summary>
    public required double HostSeconds { get; init; }

    /// <summary>Factor on times of kernels and host from the release of the software; 1 at the date of the measurements' middle.</summary>
    public double ReleaseFactor { get; init; }
}
