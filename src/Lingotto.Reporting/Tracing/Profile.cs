using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Reporting;

/// <summary>profile.json: where the time of some steps went, by operation, and the peaks of the chip to compare with.</summary>
/// <param name="Steps">Steps that were recorded.</param>
/// <param name="Seconds">Their wall time.</param>
/// <param name="PeakGflops">Measured peak of the chip, in GFLOP/s; null if unknown.</param>
/// <param name="PeakGigabytesPerSecond">Measured reads from memory; null if unknown.</param>
/// <param name="Operations">The operations in any order.</param>
public sealed record Profile(
    long Steps, double Seconds, double? PeakGflops, double? PeakGigabytesPerSecond, IReadOnlyList<ProfiledOperation> Operations)
{
    /// <summary>The same time by part of the network, in any order; empty if unknown.</summary>
    public IReadOnlyList<ProfiledOperation> Layers { get; init; } = [];

    /// <summary>The name of the file in a run folder.</summary>
    public const string FileName = "profile.json";

    /// <summary>The profile as JSON, keys in snake_case.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ProfileJson.Default.Profile);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">It is damaged.</exception>
    public static Profile Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, ProfileJson.Default.Profile) ?? throw new JsonException("the profile is null");

    /// <summary>
    /// The least time the chip needs for an operation, by its roofline (Williams, Waterman, Patterson 2009): its arithmetic at
    /// peak or its bytes at full bandwidth, whichever takes longer. Null where neither is known.
    /// </summary>
    public double? RooflineSeconds(ProfiledOperation operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        double arithmetic = PeakGflops is > 0 ? operation.Flops / (PeakGflops.Value * 1e9) : 0;
        double memory = PeakGigabytesPerSecond is > 0 ? operation.Bytes / (PeakGigabytesPerSecond.Value * 1e9) : 0;
        return arithmetic > 0 || memory > 0 ? Math.Max(arithmetic, memory) : null;
    }
}

/// <summary>What one operation took in all recorded steps.</summary>
/// <param name="Operation">Its name.</param>
/// <param name="Seconds">Wall time.</param>
/// <param name="Calls">Times it ran.</param>
/// <param name="Flops">Floating-point operations, 2 for a multiply-add; 0 if unknown.</param>
/// <param name="Bytes">Bytes it must move at least; 0 if unknown.</param>
public sealed record ProfiledOperation(string Operation, double Seconds, long Calls, double Flops, double Bytes);

/// <summary>JSON of a profile.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Profile))]
internal sealed partial class ProfileJson : JsonSerializerContext;
