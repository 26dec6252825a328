using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Diagnostics;

/// <summary>The score card of <c>lingotto torture</c>.</summary>
/// <param name="Seed">With which every trial can be repeated.</param>
/// <param name="Rows">What was tried.</param>
/// <param name="Complete">False if time was up, or the run was stopped, before all trials.</param>
public sealed record TortureReport(ulong Seed, IReadOnlyList<TortureRow> Rows, bool Complete)
{
    /// <summary>True if every trial passed.</summary>
    public bool Passed => Rows.All(row => row.Passed == row.Trials);

    /// <summary>The score card as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, TortureJson.Default.TortureReport);
}

/// <summary>One line of the score card.</summary>
/// <param name="Suite">The suite.</param>
/// <param name="Name">What was done.</param>
/// <param name="Promise">What had to hold each time.</param>
/// <param name="Trials">Trials done.</param>
/// <param name="Passed">Those in which it held.</param>
/// <param name="Seconds">All of them took.</param>
/// <param name="Note">Figures beside it; empty where there are none.</param>
/// <param name="Failures">The first failures, each with its trial's number.</param>
public sealed record TortureRow(
    TortureSuite Suite, string Name, string Promise, int Trials, int Passed, double Seconds, string Note, IReadOnlyList<string> Failures);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UseStringEnumConverter = true,
    WriteIndented = true)]
[JsonSerializable(typeof(TortureReport))]
internal sealed partial class TortureJson : JsonSerializerContext;
