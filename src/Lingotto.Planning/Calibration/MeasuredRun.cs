namespace Lingotto.Planning;

/// <summary>A measurement as workload, layout and device.</summary>
internal sealed record MeasuredRun
{
    public required Measurement Row { get; init; }

    /// <summary>The device of the catalogue.</summary>
    public required DeviceSpec Device { get; init; }

    public required Workload Work { get; init; }

    public required Layout Layout { get; init; }

    /// <summary>Date of the software, years.</summary>
    public required double Year { get; init; }

    /// <summary>Measured step time, s.</summary>
    public required double StepSeconds { get; init; }

    public string Group => Row.Group;

    public string Family => Device.Family;

    public string Model => Work.Model.Name;

    /// <summary>Measured MFU.</summary>
    public double Mfu => MfuAt(StepSeconds);

    /// <summary>Returns the step time at a given MFU, s.</summary>
    public double SecondsAt(double mfu) => StepSeconds * Mfu / mfu;

    /// <summary>Returns the MFU at a given step time.</summary>
    public double MfuAt(double seconds) => Work.Model.FlopsPerToken(Work.SequenceLength) * Work.TokensPerStep
        / (seconds * Layout.Devices * Device.Bf16Tflops.Value!.Value * 1e12);
}
