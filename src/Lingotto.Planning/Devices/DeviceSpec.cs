namespace Lingotto.Planning;

/// <summary>
/// A file of devices/: one accelerator as its sources describe it. Bandwidths count one direction; gigabytes are 10^9 bytes.
/// </summary>
public sealed record DeviceSpec
{
    /// <summary>Name in commands, and of the file without .json.</summary>
    public required string Name { get; init; }

    /// <summary>Name in tables and pages.</summary>
    public required string Title { get; init; }

    /// <summary>The vendor, which --no-vendor excludes.</summary>
    public required string Vendor { get; init; }

    /// <summary>Family of devices that share fitted efficiencies: hopper, ascend.</summary>
    public required string Family { get; init; }

    /// <summary>Tier: premium, mid, non-premium or cpu.</summary>
    public required string Tier { get; init; }

    /// <summary>Name of the device that this one probably is. Its figures replace unknown ones, with a wider interval.</summary>
    public string? Resembles { get; init; }

    /// <summary>The software stack of the device.</summary>
    public required string Stack { get; init; }

    /// <summary>What is uncertain about the device, in words.</summary>
    public string? Unsure { get; init; }

    /// <summary>Dense BF16 peak, 10^12 FLOP/s.</summary>
    public required DeviceFigure Bf16Tflops { get; init; }

    /// <summary>Dense FP8 peak, 10^12 FLOP/s; 0 without FP8.</summary>
    public required DeviceFigure Fp8Tflops { get; init; }

    /// <summary>The best matmul rate that a source measured, 10^12 FLOP/s.</summary>
    public required DeviceFigure MeasuredMatmulTflops { get; init; }

    /// <summary>Memory, GB.</summary>
    public required DeviceFigure MemoryGb { get; init; }

    /// <summary>Memory bandwidth, GB/s.</summary>
    public required DeviceFigure MemoryGbs { get; init; }

    /// <summary>Bandwidth to the other devices of its node, GB/s.</summary>
    public required DeviceFigure IntraNodeGbs { get; init; }

    /// <summary>Devices of a node, which share the fast link.</summary>
    public required DeviceFigure NodeDevices { get; init; }

    /// <summary>Bandwidth between nodes per device, GB/s.</summary>
    public required DeviceFigure InterNodeGbs { get; init; }

    /// <summary>Power at full load, W.</summary>
    public required DeviceFigure TdpWatts { get; init; }

    /// <summary>The name of the link inside a node.</summary>
    public string? IntraNodeLink { get; init; }

    /// <summary>Failures that stop a synchronous job, per device and hour.</summary>
    public required DeviceFigure FailuresPerDeviceHour { get; init; }

    /// <summary>Rental prices; empty if no price was found.</summary>
    public required IReadOnlyList<DevicePrice> Prices { get; init; }

    /// <summary>Rates of training steps measured by lingotto bench; null for a device that is known from published sources only.</summary>
    public MeasuredTraining? Training { get; init; }
}
