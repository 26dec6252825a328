using System.Text;

namespace Lingotto.Planning;

/// <summary>Writes every measured row with its prediction.</summary>
public static class CalibrationRows
{
    /// <summary>Returns the rows as comma-separated values.</summary>
    public static string Csv(Calibration calibration)
    {
        var table = new StringBuilder("fold,id,group,family,model,layout,precision,year,measured_s,predicted_s,error\n");
        foreach ((string fold, IEnumerable<Prediction> rows) in calibration.ModelFolds.Values.SelectMany(rows => rows) is var byModel
            ? new[] { ("model", byModel), ("source", calibration.SourceFolds) } : [])
        {
            foreach (Prediction row in rows)
            {
                table.Append(Line($"{fold},{row.Run.Row.Id},{row.Run.Group},{row.Run.Family},{row.Run.Model},{row.Run.Layout},"));
                table.Append(Line($"{row.Run.Work.Precision},{row.Run.Year:F2},"));
                table.Append(Line($"{row.Run.StepSeconds:G5},{row.Seconds:G5},{row.RelativeError:F4}\n"));
            }
        }

        foreach (MixedClusterRow row in calibration.MixedCluster)
        {
            table.Append(Line($"mixed,{row.Id},hetero-amp,,GPT-2,{row.Layout},fp16,,"));
            table.Append(Line($"{row.Measured:G4},{row.Predicted:G5},{row.MemoryShare:F3}\n"));
        }

        return table.ToString();
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
