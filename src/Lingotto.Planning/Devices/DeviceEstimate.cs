namespace Lingotto.Planning;

/// <summary>
/// A device as a plan computes with it. A figure nobody published is borrowed from the device it resembles, or from the median of
/// the catalogue in proportion to its peak, is named as an assumption and widens the interval.
/// </summary>
public sealed class DeviceEstimate
{
    /// <summary>Of its bandwidth that a memory reaches in long reads and writes: assumed, not fitted.</summary>
    private const double MemoryShare = 0.85;

    private readonly DeviceCatalogue _catalogue;
    private readonly List<Estimate> _figures = [];

    private DeviceEstimate(DeviceSpec device, DeviceCatalogue catalogue, FamilyEfficiency efficiency)
    {
        Device = device;
        _catalogue = catalogue;
        Efficiency = efficiency;
    }

    /// <summary>The device.</summary>
    public DeviceSpec Device { get; }

    /// <summary>What its family makes of the data sheet.</summary>
    public FamilyEfficiency Efficiency { get; }

    /// <summary>Every figure with its origin.</summary>
    public IReadOnlyList<Estimate> Figures => _figures;

    /// <summary>Power at full load, W.</summary>
    public double TdpWatts => Figure("power");

    /// <summary>Failures per device and hour.</summary>
    public double FailuresPerDeviceHour => Figure("failures per hour");

    /// <summary>FP8 is in the chip.</summary>
    public bool HasFp8 => Device.Fp8Tflops.Value > 0;

    /// <summary>Estimates a device.</summary>
    /// <exception cref="PlanException">Its peak or memory is unknown: such a device cannot be planned.</exception>
    public static DeviceEstimate Of(DeviceSpec device, DeviceCatalogue catalogue, EfficiencyTable efficiencies) =>
        Of(device, catalogue, efficiencies.Of(FamilyOf(device, catalogue)));

    /// <summary>Estimates a device with efficiencies of one's own.</summary>
    /// <exception cref="PlanException">Its peak or memory is unknown.</exception>
    public static DeviceEstimate Of(DeviceSpec device, DeviceCatalogue catalogue, FamilyEfficiency efficiency)
    {
        var estimate = new DeviceEstimate(device, catalogue, efficiency);
        if (Unknown(device) is { } unknown)
            throw new PlanException($"{device.Name}: {unknown}");
        estimate._figures.AddRange([Known("peak", device.Bf16Tflops), Known("memory", device.MemoryGb)]);
        double peak = device.Bf16Tflops.Value!.Value;
        estimate.Add("best matrix product", spec => spec.MeasuredMatmulTflops, peak, "share of peak");
        estimate.Add("memory bandwidth", spec => spec.MemoryGbs, peak, "share of peak");
        estimate.Add("link in a node", spec => spec.IntraNodeGbs, peak, "share of peak");
        estimate.Add("devices of a node", spec => spec.NodeDevices, 0, "count");
        estimate.Add("link between nodes", spec => spec.InterNodeGbs, 0, "bandwidth");
        estimate.Add("power", spec => spec.TdpWatts, 0, "power");
        estimate.Add("failures per hour", spec => spec.FailuresPerDeviceHour, 0, "rate");
        return estimate;
    }

    /// <summary>The same device with other efficiencies.</summary>
    public DeviceEstimate With(FamilyEfficiency efficiency)
    {
        var other = new DeviceEstimate(Device, _catalogue, efficiency);
        other._figures.AddRange(_figures);
        return other;
    }

    /// <summary>The value of a figure.</summary>
    public double Figure(string name) => _figures.First(figure => figure.Name == name).Value;

    /// <summary>The rates with one figure multiplied by a factor; <paramref name="changed"/> -1 for none.</summary>
    public DeviceRates Rates(Precision precision, double year = 0, int changed = -1, double factor = 1)
    {
        double At(string name)
        {
            int index = _figures.FindIndex(figure => figure.Name == name);
            return _figures[index].Value * (index == changed ? factor : 1);
        }

        double peak = At("peak") * 1e12, operand = precision switch
        {
            Precision.Bf16 => peak,
            Precision.Fp8 => (Device.Fp8Tflops.Value ?? 0) * 1e12,
            _ => 2 * (Device.Fp8Tflops.Value ?? 0) * 1e12,
        };
        double best = Math.Min(1, At("best matrix product") / At("peak"));
        double matmul = best * Efficiency.Matmul;
        double gain = year > 0 ? Efficiency.ReleaseGainPerYear * (year - Efficiency.ReleaseYear) : 0;
        return new DeviceRates
        {
            PeakFlops = peak,
            PeakOperandFlops = operand,
            MatmulFlops = operand * matmul,
            AttentionFlops = peak * matmul * Efficiency.Attention * AttentionKernels(year),
            MemoryBytes = At("memory") * 1e9,
            MemoryBytesPerSecond = At("memory bandwidth") * 1e9 * MemoryShare,
            IntraBytesPerSecond = At("link in a node") * 1e9 * Efficiency.Link,
            InterBytesPerSecond = At("link between nodes") * 1e9 * Efficiency.Link,
            NodeDevices = (int)Math.Max(1, Math.Round(At("devices of a node"))),
            KernelSeconds = Efficiency.KernelSeconds,
            HostSeconds = Efficiency.HostSeconds,
            ReleaseFactor = Math.Max(Math.Exp(-gain), Math.Max(matmul, MemoryShare)), // later software still obeys the data sheet
        };
    }

    /// <summary>
    /// Fused attention that uses Hopper's asynchronous matrix units came in 2024: 740 against 350 TFLOP/s of the kernels before
    /// (arXiv 2407.08608, abstract and section 1). Software older than that runs at the old rate.
    /// </summary>
    private double AttentionKernels(double year) => Efficiency.Family == "hopper" && year is > 0 and < 2024.2 ? 350.0 / 740 : 1;

    /// <summary>An undisclosed device borrows the efficiencies of the one it resembles.</summary>
    private static string FamilyOf(DeviceSpec device, DeviceCatalogue catalogue) =>
        device.Family == "undisclosed" && device.Resembles is { } other && catalogue.Find(other) is { } like ? like.Family : device.Family;

    /// <summary>What a plan needs of a device and nobody published; null when there is all.</summary>
    public static string? Unknown(DeviceSpec device) => (device.Bf16Tflops.Value is > 0, device.MemoryGb.Value is > 0) switch
    {
        (false, _) => $"nobody published its peak: set bf16_tflops in devices/{device.Name}.json to plan with it",
        (_, false) => $"nobody published its memory: set memory_gb in devices/{device.Name}.json to plan with it",
        _ => null,
    };

    private void Add(string name, Func<DeviceSpec, DeviceFigure> select, double peak, string basis)
    {
        DeviceFigure figure = select(Device);
        if (figure.Value is > 0)
        {
            Estimate known = Known(name, figure);
            _figures.Add(basis == "count" && figure.Low is null ? known with { LogError = 0 } : known); // a count is right or another device
            return;
        }

        if (Device.Resembles is { } other && _catalogue.Find(other) is { } like && select(like).Value is > 0)
        {
            Estimate borrowed = Known(name, select(like));
            _figures.Add(borrowed with
            {
                LogError = Math.Sqrt(borrowed.LogError * borrowed.LogError + 0.25 * 0.25),
                Origin = $"unknown: taken from {like.Name}, which it may be",
                IsAssumed = true,
            });
            return;
        }

        double[] values =
        [
            .. _catalogue.Devices.Where(spec => spec.Tier != "cpu" && select(spec).Value is > 0 && (peak == 0 || spec.Bf16Tflops.Value is > 0))
                .Select(spec => select(spec).Value!.Value / (peak == 0 ? 1 : spec.Bf16Tflops.Value!.Value)).Order(),
        ];
        if (values.Length == 0)
            throw new PlanException($"{Device.Name}: its {name} is unknown and no device of the catalogue has one: set it in devices/{Device.Name}.json");
        double low = values[values.Length / 10], high = values[values.Length - 1 - values.Length / 10];
        double median = Math.Sqrt(values[(values.Length - 1) / 2] * values[values.Length / 2]); // of an even number: between the middle two
        _figures.Add(new Estimate(
            name, median * (peak == 0 ? 1 : peak), Math.Max(0.2, Math.Log(high / low) / CostInterval.TenthToNinetieth),
            $"unknown: the median of {values.Length} devices by {basis}", IsAssumed: true));
    }

    private static Estimate Known(string name, DeviceFigure figure)
    {
        double trust = figure.Confidence switch { Confidence.High => 0.02, Confidence.Medium => 0.07, _ => 0.15 };
        double spread = figure is { Low: { } low, High: { } high } && low > 0 ? Math.Log(high / low) / CostInterval.TenthToNinetieth : 0;
        return new Estimate(name, figure.Value!.Value, Math.Max(trust, spread), $"{figure.Source}, {figure.Date}", IsAssumed: false);
    }
}
