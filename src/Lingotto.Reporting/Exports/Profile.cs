using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Reporting;

/// <summary>The time of some steps by operation, and the peaks of the chip: profile.json.</summary>
/// <param name="Steps">Number of recorded steps.</param>
/// <param name="Seconds">Wall time of the steps, s.</param>
/// <param name="PeakGflops">Measured peak of the chip, in GFLOP/s; null if unknown.</param>
/// <param name="PeakGigabytesPerSecond">Measured read bandwidth of the memory, GB/s; null if unknown.</param>
/// <param name="Operations">The operations in any order.</param>
public sealed record Profile(
    long Steps, double Seconds, double? PeakGflops, double? PeakGigabytesPerSecond, IReadOnlyList<ProfiledOperation> Operations)
{
    /// <summary>The time by part of the network, in any order; empty if unknown.</summary>
    public IReadOnlyList<ProfiledOperation> Layers { get; init; } = [];

    /// <summary>Name of the file in a run folder.</summary>
    public const string FileName = "profile.json";

    /// <summary>Returns the profile as JSON, keys in snake_case.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ProfileJson.Default.Profile);

    /// <summary>Reads a profile written by <see cref="ToJson"/>.</summary>
    /// <exception cref="JsonException">The JSON is damaged.</exception>
    public static Profile Parse(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, ProfileJson.Default.Profile) ?? throw new JsonException("the profile is null");

    /// <summary>
    /// Returns the minimum time of an operation by the roofline (Williams, Waterman, Patterson 2009): its arithmetic at peak or its bytes
    /// at full bandwidth, the longer of the two. Null if neither is known.
    /// </summary>
    public double? RooflineSeconds(ProfiledOperation operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        double arithmetic = PeakGflops is > 0 ? operation.Flops / (PeakGflops.Value * 1e9) : 0;
        double memory = PeakGigabytesPerSecond is > 0 ? operation.Bytes / (PeakGigabytesPerSecond.Value * 1e9) : 0;
        return arithmetic > 0 || memory > 0 ? Math.Max(arithmetic, memory) : null;
    }
}

/// <summary>The time of one operation in all recorded steps.</summary>
/// <param name="Operation">Name of the operation.</param>
/// <param name="Seconds">Wall time, s.</param>
/// <param name="Calls">Number of calls.</param>
/// <param name="Flops">Floating-point operations, 2 for a multiply-add; 0 if unknown.</param>
/// <param name="Bytes">Min bytes moved; 0 if unknown.</param>
public sealed record ProfiledOperation(string Operation, double Seconds, long Calls, double Flops, double Bytes);

/// <summary>JSON of a profile.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Profile))]
internal sealed partial class ProfileJson : JsonSerializerContext;
