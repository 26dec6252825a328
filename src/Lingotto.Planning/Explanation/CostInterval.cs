namespace Lingotto.Planning;

/// <summary>A reason why the cost is not known better.</summary>
/// <param name="Name">What is uncertain.</param>
/// <param name="LogError">Standard deviation of the logarithm of the cost from it.</param>
/// <param name="Elasticity">Percent of cost for a percent of the input.</param>
/// <param name="Origin">Where the input comes from.</param>
public sealed record Sensitivity(string Name, double LogError, double Elasticity, string Origin);

/// <summary>
/// The interval in which eight of ten costs should lie: independent errors of the logarithm, added in squares; the model's own
/// from rows that took no part in its fit, each figure's by computing the plan again with the figure one deviation up and down.
/// </summary>
public sealed class CostInterval
{
    /// <summary>From the middle to the ninetieth percentile of a normal distribution, in standard deviations.</summary>
    public const double NinetiethPercentile = 1.2816;

    /// <summary>From the tenth to the ninetieth percentile, in standard deviations: how a range of published figures is read.</summary>
    internal const double TenthToNinetieth = 2 * NinetiethPercentile;

    /// <summary>Busiest over mean expert rank: natural against forced balance in Megatron-MoE-ModelZoo (best_practice/qwen3) differs by 9 to 24 %.</summary>
    private const double ImbalanceLogError = 0.1;

    private CostInterval(Plan plan, double logError, IReadOnlyList<Sensitivity> sensitivities)
    {
        Middle = plan.Cost;
        Low = plan.Cost * Math.Exp(-NinetiethPercentile * logError);
        High = plan.Cost * Math.Exp(NinetiethPercentile * logError);
        LogError = logError;
        Sensitivities = sensitivities;
    }

    /// <summary>The cost.</summary>
    public double Middle { get; }

    /// <summary>One of ten costs should be below.</summary>
    public double Low { get; }

    /// <summary>One of ten costs should be above.</summary>
    public double High { get; }

    /// <summary>Standard deviation of the logarithm.</summary>
    public double LogError { get; }

    /// <summary>What the interval is made of, largest first.</summary>
    public IReadOnlyList<Sensitivity> Sensitivities { get; }

    /// <summary>The interval of a plan's cost.</summary>
    public static CostInterval Of(Plan plan, PlanRequest request, HourlyPrice price)
    {
        DeviceEstimate device = plan.Device;
        List<Sensitivity> parts =
        [
            new("model of time", request.Work.Model.MoeLayers > 0 ? device.Efficiency.MoeLogError : device.Efficiency.LogError, 1, device.Efficiency.Rows > 0
                ? $"{device.Efficiency.Rows} rows of family {device.Efficiency.Family}" : "no row of this family was published: the spread between families"),
            new("price", price.LogError, 1, price.Origin),
        ];
        for (int i = 0; i < device.Figures.Count; i++)
        {
            Estimate figure = device.Figures[i];
            if (figure.LogError == 0)
                continue;
            double up = Cost(plan, request, i, Math.Exp(figure.LogError)), down = Cost(plan, request, i, Math.Exp(-figure.LogError));
            double change = Math.Log(up / down) / 2;
            parts.Add(new Sensitivity(figure.Name, Math.Abs(change), change / figure.LogError, figure.Origin));
        }

        if (request.Work.Model.MoeLayers > 0)
        {
            double change = Math.Log(Imbalanced(plan, request, Math.Exp(ImbalanceLogError)) / Imbalanced(plan, request, Math.Exp(-ImbalanceLogError))) / 2;
            parts.Add(new Sensitivity("imbalance of experts", Math.Abs(change), change / ImbalanceLogError, "assumed, see --imbalance"));
        }

        double variance = parts.Sum(part => part.LogError * part.LogError);
        return new CostInterval(plan, Math.Sqrt(variance), [.. parts.Where(part => part.LogError > 1e-4).OrderByDescending(part => part.LogError)]);
    }

    private static double Cost(Plan plan, PlanRequest request, int figure, double factor)
    {
        DeviceRates rates = plan.Device.Rates(plan.Precision, request.SoftwareYear, figure, factor);
        double failures = (request.FailuresPerDeviceHour ?? plan.Device.FailuresPerDeviceHour) * (plan.Device.Figures[figure].Name == "failures per hour" ? factor : 1);
        double useful = Goodput.BestShare(plan.Layout.Devices, failures, request.SaveSeconds, request.RestartSeconds);
        return StepModel.Evaluate(plan.Work, plan.Layout, rates).Total / useful;
    }

    private static double Imbalanced(Plan plan, PlanRequest request, double factor)
    {
        Workload work = plan.Work with { ExpertImbalance = Math.Max(1, plan.Work.ExpertImbalance * factor) };
        return StepModel.Evaluate(work, plan.Layout, plan.Device.Rates(plan.Precision, request.SoftwareYear)).Total;
    }
}
