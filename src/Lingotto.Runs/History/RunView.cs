using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>A run folder as it is now, for the sections of its report: history, recipe and files.</summary>
internal sealed class RunView(string folder, TimeProvider time)
{
    // A run writes nothing during a step, an evaluation or a save.
    private const double MinSilenceSeconds = 120, StepsOfSilence = 20;

    private readonly RunHistory _history = new(Path.Combine(folder, RunFolder.MetricsName));

    /// <summary>The name of the run: its folder's.</summary>
    public string Name => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));

    public RunFiles Files { get; } = new(folder);

    public RunHistory.State History => _history.Now;

    /// <summary>recipe.json; an absent value where it cannot be read.</summary>
    public JsonElement Recipe { get; private set; }

    public string Currency => Recipe.Field("hardware")?.Text("currency") ?? "";

    /// <summary>True if the run wrote something lately and its last session has not stopped.</summary>
    public bool IsRunning => History.Sessions.Count > 0 && History.Sessions[^1].Outcome is null && History.LastTime is { } last
        && time.GetUtcNow().ToUnixTimeSeconds() - last < Math.Max(MinSilenceSeconds, StepsOfSilence * History.LastStepSeconds);

    /// <summary>The checkpoint that the pointer names; null where there is none yet.</summary>
    public string? NewestCheckpoint
    {
        get
        {
            string? name = RunFiles.Text(Files.At(RunFolder.CheckpointsName, "latest"))?.Trim();
            return name is { Length: > 0 } && Path.GetFileName(name) == name && Directory.Exists(Files.At(RunFolder.CheckpointsName, name))
                ? Files.At(RunFolder.CheckpointsName, name) : null;
        }
    }

    /// <summary>Reads what the run wrote since the last call.</summary>
    public void Refresh(CancellationToken cancellation)
    {
        Recipe = RunFiles.Json(Files.At(RunFolder.RecipeName)) ?? default;
        _history.Refresh(cancellation);
    }

    /// <summary>A time in seconds since 1970 as text in UTC; a dash where it is unknown.</summary>
    public static string Moment(double? seconds) => seconds is { } known
        ? DateTimeOffset.FromUnixTimeMilliseconds((long)(1000 * known))
        .ToString("yyyy-MM-dd HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture)
        : "\u2013";
}
