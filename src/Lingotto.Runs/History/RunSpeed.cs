using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>What a run did on its machine, to set a prediction beside.</summary>
/// <param name="TokensPerSecond">Median of the updates after the first two, in which code is still being compiled.</param>
/// <param name="Updates">How many that is.</param>
/// <param name="PlannedBytes">Memory that the run planned before it began.</param>
public sealed record RunSpeed(double TokensPerSecond, int Updates, double PlannedBytes)
{
    private const int WarmUpdates = 2;

    /// <summary>Reads metrics.jsonl of a run; a line that is cut short or damaged is passed over.</summary>
    /// <param name="run">The folder of the run.</param>
    /// <exception cref="RunException">The folder is no run, or its run has not done three updates.</exception>
    public static RunSpeed Read(string run)
    {
        string path = Path.Combine(run, "metrics.jsonl");
        if (!File.Exists(path))
        {
            throw new RunException($"{path}: no such file: give the folder of a run, such as runs/quickstart");
        }

        var rates = new List<double>();
        double planned = 0;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        LineReader.Read(file, 0, (line, _) =>
        {
            MetricsLine? parsed = MetricsLine.TryParse(line);
            if (parsed?.Kind == "start")
            {
                using JsonDocument start = JsonDocument.Parse(line.ToArray());
                planned = start.RootElement.Number("planned_bytes") ?? planned;
            }

            if (parsed is { Kind: "step", TokensPerSecond: > 0 and var rate })
            {
                rates.Add(rate);
            }
        });
        return rates.Count > WarmUpdates && planned > 0
            ? new RunSpeed(Median.Of(rates.Skip(WarmUpdates)), rates.Count - WarmUpdates, planned)
            : throw new RunException($"{path}: holds fewer than {WarmUpdates + 1} updates: let the run go on and ask again");
    }
}
