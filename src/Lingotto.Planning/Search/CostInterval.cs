namespace Lingotto.Planning;

/// <summary>
/// The interval that contains eight of ten true costs. Independent errors of the logarithm are added in squares: the error of the model
/// is known from rows left out of its fit; the error of each figure is computed by planning again with the figure one standard deviation
/// up and down.
/// </summary>
public sealed class CostInterval
{
    /// <summary>
    /// Error of the expert imbalance: natural against forced balance in Megatron-MoE-ModelZoo (best_practice/qwen3) differs by 9 to 24 %.
    /// </summary>
    private const double ImbalanceLogError = 0.1;

    private CostInterval(Plan plan, double logError, IReadOnlyList<Sensitivity> sensitivities)
    {
        Middle = plan.Cost;
        Low = plan.Cost * Math.Exp(-NormalDistribution.NinetiethPercentile * logError);
        High = plan.Cost * Math.Exp(NormalDistribution.NinetiethPercentile * logError);
        LogError = logError;
        Sensitivities = sensitivities;
    }

    /// <summary>The predicted cost.</summary>
    public double Middle { get; }

    /// <summary>Lower end: one of ten costs should be below.</summary>
    public double Low { get; }

    /// <summary>Upper end: one of ten costs should be above.</summary>
    public double High { get; }

    /// <summary>Standard deviation of the logarithm of the cost.</summary>
    public double LogError { get; }

    /// <summary>The sources of uncertainty, largest first.</summary>
    public IReadOnlyList<Sensitivity> Sensitivities { get; }

    /// <summary>Returns the interval of the cost of a plan.</summary>
    public static CostInterval Of(Plan plan, PlanRequest request, HourlyPrice price)
    {
        EstimatedDevice device = plan.Device;
        FamilyEfficiency efficiency = device.Efficiency;
        bool isMoe = request.Work.Model.MoeLayers > 0;
        List<Sensitivity> parts =
        [
            new("model of time", isMoe ? efficiency.MoeLogError : efficiency.LogError, 1, efficiency.Rows > 0
                ? $"{efficiency.Rows} rows of family {efficiency.Family}"
                : "no row of this family was published: the spread between families"),
            new("price", price.LogError, 1, price.Origin),
        ];
        for (int i = 0; i < device.Figures.Count; i++)
        {
            EstimatedFigure figure = device.Figures[i];
            if (figure.LogError == 0)
            {
                continue;
            }

            double up = Cost(plan, request, i, Math.Exp(figure.LogError)), down = Cost(plan, request, i, Math.Exp(-figure.LogError));
            double change = Math.Log(up / down) / 2;
            parts.Add(new Sensitivity(figure.Name, Math.Abs(change), change / figure.LogError, figure.Origin));
        }

        if (isMoe)
        {
            double up = Imbalanced(plan, request, Math.Exp(ImbalanceLogError)),
                down = Imbalanced(plan, request, Math.Exp(-ImbalanceLogError));
            double change = Math.Log(up / down) / 2;
            parts.Add(new Sensitivity("imbalance of experts", Math.Abs(change), change / ImbalanceLogError, "assumed, see --imbalance"));
        }

        double variance = parts.Sum(part => part.LogError * part.LogError);
        return new CostInterval(
            plan, Math.Sqrt(variance), [.. parts.Where(part => part.LogError > 1e-4).OrderByDescending(part => part.LogError)]);
    }

    private static double Cost(Plan plan, PlanRequest request, int figure, double factor)
    {
        DeviceRates rates = plan.Device.Rates(plan.Precision, request.SoftwareYear, figure, factor);
        double failures = (request.FailuresPerDeviceHour ?? plan.Device.FailuresPerDeviceHour)
            * (plan.Device.Figures[figure].Name == "failures per hour" ? factor : 1);
        double goodput = Goodput.BestShare(plan.Layout.Devices, failures, request.SaveSeconds, request.RestartSeconds);
        return StepModel.Evaluate(plan.Work, plan.Layout, rates).Total / goodput;
    }

    private static double Imbalanced(Plan plan, PlanRequest request, double factor)
    {
        Workload work = plan.Work with { ExpertImbalance = Math.Max(1, plan.Work.ExpertImbalance * factor) };
        return StepModel.Evaluate(work, plan.Layout, plan.Device.Rates(plan.Precision, request.SoftwareYear)).Total;
    }
}
