namespace Lingotto.Planning;

/// <summary>
/// Fits the six scalars of a family by least squares on the logarithm of measured over predicted time, with Levenberg-Marquardt from a
/// fixed start. A weak prior around typical values of current chips determines scalars that the rows do not determine. The weight of a
/// source is the square root of its number of rows, so that a long table does not dominate the others.
/// </summary>
internal static class FamilyFit
{
    private const int Scalars = 6;
    private const double Step = 1e-4;
    private const int Iterations = 60;

    /// <summary>Prior: logarithms of matmul, attention, link, kernel seconds and host seconds, and the gain per year.</summary>
    private static readonly double[] s_prior =
        [Math.Log(0.85), Math.Log(0.6), Math.Log(0.7), Math.Log(8e-6), Math.Log(1e-3), 0];

    /// <summary>Standard deviations of the prior.</summary>
    private static readonly double[] s_deviations = [0.25, 0.5, 0.5, 0.4, 1, 0.1];

    /// <summary>Standard deviation of the noise between two runs of the same configuration.</summary>
    private const double Noise = 0.06;

    /// <summary>Fits measured steps on single kinds of devices.</summary>
    public static FamilyEfficiency Fit(string family, IReadOnlyList<MeasuredRun> runs, DeviceCatalogue catalogue) =>
        Fit(family, runs.Count > 0 ? runs.Average(run => run.Year) : 2025, Rows(runs, catalogue));

    /// <summary>Fits rows of any kind of prediction.</summary>
    public static FamilyEfficiency Fit(string family, double year, FitRow[] rows)
    {
        double[] x = [.. s_prior];
        double[] residuals = Residuals(x, family, year, rows);
        double damping = 1e-2, cost = Cost(residuals);
        for (int iteration = 0; iteration < Iterations && damping < 1e8; iteration++)
        {
            double[] step = GaussNewton(x, residuals, damping, family, year, rows);
            double[] next = [.. x.Zip(step, (value, change) => value - change)];
            Clamp(next);
            double[] moved = Residuals(next, family, year, rows);
            if (Cost(moved) < cost)
            {
                bool isDone = cost - Cost(moved) < 1e-9 * cost;
                (x, residuals, cost) = (next, moved, Cost(moved));
                damping = Math.Max(1e-6, damping / 5);
                if (isDone)
                {
                    break;
                }
            }
            else
            {
                damping *= 4;
            }
        }

        return Make(x, family, year, rows.Length);
    }

    /// <summary>Returns the predicted step time of a run under a fit, s.</summary>
    public static double Predict(MeasuredRun run, FamilyEfficiency fit, DeviceCatalogue catalogue) =>
        StepModel.Evaluate(run.Work, run.Layout, EstimatedDevice.Of(run.Device, catalogue, fit).Rates(run.Work.Precision, run.Year)).Total;

    private static FitRow[] Rows(IReadOnlyList<MeasuredRun> runs, DeviceCatalogue catalogue)
    {
        Dictionary<string, int> sizes = runs.GroupBy(run => run.Group).ToDictionary(group => group.Key, group => group.Count());
        FamilyEfficiency any = Make(s_prior, EfficiencyTable.Any, 2025, 0);
        return [.. runs.Select(run =>
        {
            EstimatedDevice device = EstimatedDevice.Of(run.Device, catalogue, any);
            return new FitRow(Math.Sqrt(1 / Math.Sqrt(sizes[run.Group])), run.StepSeconds,
                fit => StepModel.Evaluate(run.Work, run.Layout, device.With(fit).Rates(run.Work.Precision, run.Year)).Total);
        })];
    }

    private static double[] Residuals(double[] x, string family, double year, FitRow[] rows)
    {
        var residuals = new double[rows.Length + Scalars];
        FamilyEfficiency fit = Make(x, family, year, rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            double error = Math.Log(rows[i].Predict(fit) / rows[i].Seconds) / Noise;
            residuals[i] = rows[i].Weight * Math.Sign(error) * Huber(Math.Abs(error));
        }

        for (int i = 0; i < Scalars; i++)
        {
            residuals[rows.Length + i] = (x[i] - s_prior[i]) / s_deviations[i];
        }

        return residuals;
    }

    /// <summary>
    /// Returns the square root of Huber's loss, linear beyond two deviations, so that one outlier does not distort the fit.
    /// </summary>
    private static double Huber(double error) => error <= 2 ? error : Math.Sqrt(4 * error - 4);

    private static double Cost(double[] residuals) => residuals.Sum(residual => residual * residual);

    private static double[] GaussNewton(
        double[] x, double[] residuals, double damping, string family, double year, FitRow[] rows)
    {
        var jacobian = new double[Scalars][];
        for (int j = 0; j < Scalars; j++)
        {
            double[] moved = [.. x];
            moved[j] += Step;
            jacobian[j] = [.. Residuals(moved, family, year, rows).Zip(residuals, (after, before) => (after - before) / Step)];
        }

        var matrix = new double[Scalars, Scalars + 1];
        for (int i = 0; i < Scalars; i++)
        {
            for (int j = 0; j < Scalars; j++)
            {
                matrix[i, j] = jacobian[i].Zip(jacobian[j], (a, b) => a * b).Sum() * (i == j ? 1 + damping : 1);
            }

            matrix[i, Scalars] = jacobian[i].Zip(residuals, (a, b) => a * b).Sum();
        }

        return LinearSystem.Solve(matrix);
    }

    /// <summary>Limits the scalars. Efficiencies are at most one: no prediction is faster than the data sheet.</summary>
    private static void Clamp(double[] x)
    {
        for (int i = 0; i < 3; i++)
        {
            x[i] = Math.Clamp(x[i], Math.Log(0.05), 0);
        }

        x[3] = Math.Clamp(x[3], Math.Log(1e-7), Math.Log(1e-3));
        x[4] = Math.Clamp(x[4], Math.Log(1e-6), Math.Log(0.1));
        x[5] = Math.Clamp(x[5], -0.5, 0.5);
    }

    private static FamilyEfficiency Make(double[] x, string family, double year, int rows) => new()
    {
        Family = family,
        Matmul = Math.Exp(x[0]),
        Attention = Math.Exp(x[1]),
        Link = Math.Exp(x[2]),
        KernelSeconds = Math.Exp(x[3]),
        HostSeconds = Math.Exp(x[4]),
        ReleaseGainPerYear = x[5],
        ReleaseYear = year,
        LogError = 0,
        MoeLogError = 0,
        Rows = rows,
    };
}
