namespace Lingotto.Planning;

/// <summary>A file of devices/: one accelerator as its sources describe it. Bandwidths are one direction, gigabytes are 10^9 bytes.</summary>
public sealed record DeviceSpec
{
    /// <summary>How commands name it; the name of its file.</summary>
    public required string Name { get; init; }

    /// <summary>How people name it.</summary>
    public required string Title { get; init; }

    /// <summary>The maker; what --no-vendor excludes.</summary>
    public required string Vendor { get; init; }

    /// <summary>Devices that share fitted efficiencies: hopper, ascend.</summary>
    public required string Family { get; init; }

    /// <summary>premium, mid, non-premium or cpu.</summary>
    public required string Tier { get; init; }

    /// <summary>A device that this one is believed to be; its figures stand in for unknown ones, with a wider interval.</summary>
    public string? Resembles { get; init; }

    /// <summary>The software that drives it.</summary>
    public required string Stack { get; init; }

    /// <summary>What about it is unsure, in words.</summary>
    public string? Unsure { get; init; }

    /// <summary>Dense BF16 peak, 10^12 FLOP/s.</summary>
    public required DeviceFigure Bf16Tflops { get; init; }

    /// <summary>Dense FP8 peak, 10^12 FLOP/s; 0 without FP8.</summary>
    public required DeviceFigure Fp8Tflops { get; init; }

    /// <summary>The best matrix product that somebody measured, 10^12 FLOP/s.</summary>
    public required DeviceFigure MeasuredMatmulTflops { get; init; }

    /// <summary>Memory, GB.</summary>
    public required DeviceFigure MemoryGb { get; init; }

    /// <summary>Memory bandwidth, GB/s.</summary>
    public required DeviceFigure MemoryGbs { get; init; }

    /// <summary>Bandwidth to the other devices of its node, GB/s.</summary>
    public required DeviceFigure IntraNodeGbs { get; init; }

    /// <summary>Devices that share the fast link.</summary>
    public required DeviceFigure NodeDevices { get; init; }

    /// <summary>Bandwidth between nodes per device, GB/s.</summary>
    public required DeviceFigure InterNodeGbs { get; init; }

    /// <summary>Power at full load, W.</summary>
    public required DeviceFigure TdpWatts { get; init; }

    /// <summary>The name of the link inside a node.</summary>
    public string? IntraNodeLink { get; init; }

    /// <summary>Failures that stop a synchronous job, per device and hour.</summary>
    public required DeviceFigure FailuresPerDeviceHour { get; init; }

    /// <summary>What it is rented for; empty when no price was found.</summary>
    public required IReadOnlyList<DevicePrice> Prices { get; init; }

    /// <summary>A training step measured on it by lingotto bench; null for a device known from its sources only.</summary>
    public MeasuredTraining? Training { get; init; }
}
