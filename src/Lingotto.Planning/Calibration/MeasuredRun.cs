namespace Lingotto.Planning;

/// <summary>A measurement in the terms of the model.</summary>
internal sealed record MeasuredRun
{
    public required Measurement Row { get; init; }

    /// <summary>Name of the device in the catalogue.</summary>
    public required DeviceSpec Device { get; init; }

    public required Workload Work { get; init; }

    public required Layout Layout { get; init; }

    /// <summary>Date of the software, years.</summary>
    public required double Year { get; init; }

    /// <summary>What was measured, s.</summary>
    public required double StepSeconds { get; init; }

    public string Group => Row.Group;

    public string Family => Device.Family;

    public string Model => Work.Model.Name;

    /// <summary>Share of BF16 peak that was measured.</summary>
    public double Mfu => MfuAt(StepSeconds);

    /// <summary>Step time at a given share of BF16 peak.</summary>
    public double SecondsAt(double mfu) => StepSeconds * Mfu / mfu;

    /// <summary>Share of BF16 peak at a given step time.</summary>
    public double MfuAt(double seconds) => Work.Model.FlopsPerToken(Work.SequenceLength) * Work.TokensPerStep
        / (seconds * Layout.Devices * Device.Bf16Tflops.Value!.Value * 1e12);
}
