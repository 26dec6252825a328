namespace Lingotto.Planning;

/// <summary>
/// A device as a plan computes with it. A figure that no source publishes is taken from the device that it resembles, or from the median
/// of the catalogue (in proportion to its peak). Such a figure is named as an assumption and widens the cost interval.
/// </summary>
public sealed class EstimatedDevice
{
    /// <summary>Share of its bandwidth that a memory reaches in long reads and writes: assumed, not fitted.</summary>
    private const double MemoryShare = 0.85;

    private readonly DeviceCatalogue _catalogue;
    private readonly List<EstimatedFigure> _figures = [];

    private EstimatedDevice(DeviceSpec spec, DeviceCatalogue catalogue, FamilyEfficiency efficiency)
    {
        Spec = spec;
        _catalogue = catalogue;
        Efficiency = efficiency;
    }

    /// <summary>The device file.</summary>
    public DeviceSpec Spec { get; }

    /// <summary>Name of the device in the catalogue.</summary>
    public string Name => Spec.Name;

    /// <summary>Efficiencies of the family of the device.</summary>
    public FamilyEfficiency Efficiency { get; }

    /// <summary>Every figure with its origin.</summary>
    public IReadOnlyList<EstimatedFigure> Figures => _figures;

    /// <summary>Power at full load, W.</summary>
    public double TdpWatts => Figure("power");

    /// <summary>Failures per device and hour.</summary>
    public double FailuresPerDeviceHour => Figure("failures per hour");

    /// <summary>True if the chip has FP8.</summary>
    public bool HasFp8 => Spec.Fp8Tflops.Value > 0;

    /// <summary>Estimates a device with the efficiencies of its family.</summary>
    /// <exception cref="PlanException">Peak or memory is unknown: such a device cannot be planned.</exception>
    public static EstimatedDevice Of(DeviceSpec spec, DeviceCatalogue catalogue, EfficiencyTable efficiencies) =>
        Of(spec, catalogue, efficiencies.Of(FamilyOf(spec, catalogue)));

    /// <summary>Estimates a device with given efficiencies.</summary>
    /// <exception cref="PlanException">Peak or memory is unknown.</exception>
    public static EstimatedDevice Of(DeviceSpec spec, DeviceCatalogue catalogue, FamilyEfficiency efficiency)
    {
        var estimate = new EstimatedDevice(spec, catalogue, efficiency);
        if (Unknown(spec) is { } unknown)
        {
            throw new PlanException($"{spec.Name}: {unknown}");
        }

        estimate._figures.AddRange([Known("peak", spec.Bf16Tflops), Known("memory", spec.MemoryGb)]);
        double peak = spec.Bf16Tflops.Value!.Value;
        estimate.Add("best matmul", device => device.MeasuredMatmulTflops, peak, "share of peak");
        estimate.Add("memory bandwidth", device => device.MemoryGbs, peak, "share of peak");
        estimate.Add("link in a node", device => device.IntraNodeGbs, peak, "share of peak");
        estimate.Add("devices of a node", device => device.NodeDevices, 0, "count");
        estimate.Add("link between nodes", device => device.InterNodeGbs, 0, "bandwidth");
        estimate.Add("power", device => device.TdpWatts, 0, "power");
        estimate.Add("failures per hour", device => device.FailuresPerDeviceHour, 0, "rate");
        return estimate;
    }

    /// <summary>Returns the same device with other efficiencies.</summary>
    public EstimatedDevice With(FamilyEfficiency efficiency)
    {
        var other = new EstimatedDevice(Spec, _catalogue, efficiency);
        other._figures.AddRange(_figures);
        return other;
    }

    /// <summary>Returns the value of a figure by its name.</summary>
    public double Figure(string name) => _figures.First(figure => figure.Name == name).Value;

    /// <summary>Returns the rates of the device. One figure may be multiplied by a factor to see its effect.</summary>
    /// <param name="precision">Format of matmul operands.</param>
    /// <param name="year">Date of the software, years; 0 for the mean date of the measurements.</param>
    /// <param name="changed">Index of the multiplied figure in <see cref="Figures"/>; -1 for none.</param>
    /// <param name="factor">Factor of that figure.</param>
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
            Precision.Fp8 => (Spec.Fp8Tflops.Value ?? 0) * 1e12,
            _ => 2 * (Spec.Fp8Tflops.Value ?? 0) * 1e12,
        };
        double best = Math.Min(1, At("best matmul") / At("peak"));
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
    /// Returns the speed of attention kernels by date. Fused attention with Hopper's asynchronous matrix units came in 2024: 740 against
    /// 350 TFLOP/s of the kernels before (arXiv 2407.08608, abstract and section 1). Older software runs at the old rate.
    /// </summary>
    private double AttentionKernels(double year) => Efficiency.Family == "hopper" && year is > 0 and < 2024.2 ? 350.0 / 740 : 1;

    /// <summary>Returns the family of a device. A device of undisclosed family has the family of the device that it resembles.</summary>
    private static string FamilyOf(DeviceSpec device, DeviceCatalogue catalogue) =>
        device.Family == "undisclosed" && device.Resembles is { } other && catalogue.Find(other) is { } like ? like.Family : device.Family;

    /// <summary>Returns which required figure no source publishes; null if peak and memory are known.</summary>
    public static string? Unknown(DeviceSpec device) => (device.Bf16Tflops.Value is > 0, device.MemoryGb.Value is > 0) switch
    {
        (false, _) => $"its peak is unknown: set bf16_tflops in devices/{device.Name}.json to plan with it",
        (_, false) => $"its memory is unknown: set memory_gb in devices/{device.Name}.json to plan with it",
        _ => null,
    };

    private void Add(string name, Func<DeviceSpec, DeviceFigure> select, double peak, string basis)
    {
        DeviceFigure figure = select(Spec);
        if (figure.Value is > 0)
        {
            EstimatedFigure known = Known(name, figure);
            // a wrong count means another device
            _figures.Add(basis == "count" && figure.Low is null ? known with { LogError = 0 } : known);
            return;
        }

        if (Spec.Resembles is { } other && _catalogue.Find(other) is { } like && select(like).Value is > 0)
        {
            EstimatedFigure borrowed = Known(name, select(like));
            _figures.Add(borrowed with
            {
                LogError = Math.Sqrt(borrowed.LogError * borrowed.LogError + 0.25 * 0.25),
                Origin = $"unknown: taken from {like.Name}, which it resembles",
                IsAssumed = true,
            });
            return;
        }

        double[] values =
        [
            .. _catalogue.Devices.Where(spec => spec.Tier != "cpu" && select(spec).Value is > 0
                && (peak == 0 || spec.Bf16Tflops.Value is > 0))
                .Select(spec => select(spec).Value!.Value / (peak == 0 ? 1 : spec.Bf16Tflops.Value!.Value)).Order(),
        ];
        if (values.Length == 0)
        {
            throw new PlanException(
                $"{Spec.Name}: its {name} is unknown and no device of the catalogue has one: set it in devices/{Spec.Name}.json");
        }

        double low = values[values.Length / 10], high = values[values.Length - 1 - values.Length / 10];
        double median = Math.Sqrt(values[(values.Length - 1) / 2] * values[values.Length / 2]); // of an even number: between the middle two
        _figures.Add(new EstimatedFigure(
            name, median * (peak == 0 ? 1 : peak), Math.Max(0.2, Math.Log(high / low) / NormalDistribution.TenthToNinetieth),
            $"unknown: the median of {values.Length} devices by {basis}", IsAssumed: true));
    }

    private static EstimatedFigure Known(string name, DeviceFigure figure)
    {
        double trust = figure.Confidence switch { Confidence.High => 0.02, Confidence.Medium => 0.07, _ => 0.15 };
        double spread = figure is { Low: { } low, High: { } high } && low > 0
            ? Math.Log(high / low) / NormalDistribution.TenthToNinetieth : 0;
        return new EstimatedFigure(
            name, figure.Value!.Value, Math.Max(trust, spread), $"{figure.Source}, {figure.Date}", IsAssumed: false);
    }
}
