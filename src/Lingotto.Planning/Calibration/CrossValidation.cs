namespace Lingotto.Planning;

/// <summary>Predicts rows by fits that leave them out: one model of a source at a time, or a whole source at a time.</summary>
internal static class CrossValidation
{
    /// <summary>Predicts each model of a source from the other models of the source and family.</summary>
    public static List<Prediction> LeaveOneModelOut(IReadOnlyList<MeasuredRun> runs, DeviceCatalogue catalogue) =>
        Folds(runs, run => NetworkOf(run.Model), catalogue);

    /// <summary>Predicts each source from the other sources of the same family.</summary>
    public static List<Prediction> LeaveOneSourceOut(IReadOnlyList<MeasuredRun> runs, DeviceCatalogue catalogue) =>
        Folds(runs, run => run.Group, catalogue);

    /// <summary>Predicts rows with experts from the dense rows of their family.</summary>
    public static List<Prediction> DenseToMoe(IReadOnlyList<MeasuredRun> runs, DeviceCatalogue catalogue)
    {
        var predictions = new List<Prediction>();
        foreach (IGrouping<string, MeasuredRun> family in runs.GroupBy(run => run.Family)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            MeasuredRun[] dense = [.. family.Where(run => run.Work.Model.MoeLayers == 0)];
            MeasuredRun[] moe = [.. family.Where(run => run.Work.Model.MoeLayers > 0)];
            FamilyEfficiency fit = FamilyFit.Fit(family.Key, dense, catalogue);
            double mfu = Statistics.Median([.. dense.Select(run => run.Mfu)]);
            predictions.AddRange(moe.Select(run => new Prediction(
                run, NetworkOf(run.Model), FamilyFit.Predict(run, fit, catalogue), run.SecondsAt(mfu), double.NaN)));
        }

        return predictions;
    }

    /// <summary>Returns the network of a model. Variants of a network are one fold: "DeepSeekV3 (w/o MTP)" is DeepSeekV3.</summary>
    private static string NetworkOf(string model) => model.Split(" (")[0];

    private static List<Prediction> Folds(IReadOnlyList<MeasuredRun> runs, Func<MeasuredRun, string> key, DeviceCatalogue catalogue)
    {
        var folds = new List<(string Key, List<Prediction> Rows)>();
        foreach (IGrouping<string, MeasuredRun> family in runs.GroupBy(run => run.Family)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            string[] keys = [.. family.Select(key).Distinct().Order(StringComparer.Ordinal)];
            if (keys.Length < 2)
            {
                continue;
            }

            foreach (string left in keys)
            {
                MeasuredRun[] seen = [.. family.Where(run => key(run) != left)];
                FamilyEfficiency fit = FamilyFit.Fit(family.Key, seen, catalogue);
                double mfu = Statistics.Median([.. seen.Select(run => run.Mfu)]);
                folds.Add((left, [.. family.Where(run => key(run) == left)
                    .Select(run => new Prediction(run, left, FamilyFit.Predict(run, fit, catalogue), run.SecondsAt(mfu), double.NaN))]));
            }
        }

        return [.. folds.SelectMany(fold => WithIntervals(
            fold.Rows, [.. folds.Where(other => other.Key != fold.Key).SelectMany(other => other.Rows)]))];
    }

    /// <summary>
    /// Adds the interval as in a plan: <see cref="NormalDistribution.NinetiethPercentile"/> times the expected error. The expected error
    /// uses the other folds only: their rows of the same family if there are any, and rows with experts for a network with experts.
    /// </summary>
    private static IEnumerable<Prediction> WithIntervals(List<Prediction> fold, Prediction[] others)
    {
        foreach (Prediction row in fold)
        {
            bool hasExperts = HasExperts(row);
            Prediction[] alike = [.. others.Where(other => !hasExperts || HasExperts(other))];
            Prediction[] family = [.. alike.Where(other => other.Run.Family == row.Run.Family)];
            double error = Prediction.LogErrorOf(family.Length > 0 ? family : alike.Length > 0 ? alike : others);
            yield return row with { HalfWidth = NormalDistribution.NinetiethPercentile * error };
        }
    }

    private static bool HasExperts(Prediction row) => row.Run.Work.Model.MoeLayers > 0;
}
