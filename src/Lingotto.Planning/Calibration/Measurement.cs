using System.Globalization;

namespace Lingotto.Planning;

/// <summary>A published measurement with its source and licence note: a row of devices/calibration/measurements.csv.</summary>
internal sealed class Measurement(IReadOnlyDictionary<string, string> cells)
{
    public string Id => cells["id"];
    public string Group => cells["group"];
    public string Source => cells["source"];
    public string Model => cells["model"];
    public string Device => cells["device"];
    public string Precision => cells["precision"];
    public string Recompute => cells["recompute"];
    public string Sharding => cells["sharding"];
    public string Notes => cells["notes"];
    public string OtherMetric => cells["other_metric"];

    public double? StepSeconds => Number("step_time_s");
    public double? TokensPerSecondAndDevice => Number("tok_s_per_dev");
    public double? TeraflopsPerDevice => Number("tflops_per_dev");
    public double? OtherValue => Number("other_value");

    /// <summary>Returns the whole number of a column, or a default for an empty cell.</summary>
    public int Whole(string column, int absent = 1) => (int)(Number(column) ?? absent);

    public double? Number(string column) => cells[column] is { Length: > 0 } text
        && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) ? number : null;

    public static List<Measurement> Load(string folder) =>
        [.. CsvReader.Read(Path.Combine(folder, "measurements.csv")).Select(cells => new Measurement(cells))];
}
