using Lingotto.Formats;

namespace Lingotto.Planning;

/// <summary>
/// Compares published and predicted costs of the five devices of arXiv 2503.05139. Each device is predicted twice: with a free search, and
/// with the layout as far as the authors describe their training. The search finds what tuned software of today can reach; a run of 2024
/// reached less.
/// </summary>
/// <param name="Rows">The devices, by name.</param>
public sealed record PublishedComparison(IReadOnlyList<PublishedRow> Rows)
{
    private const string Model = "ling-plus";

    /// <summary>Assumptions of both predictions.</summary>
    public const string Common = "1T tokens in updates of 8,960 sequences of 4,096, busiest expert rank at 1.2 times the mean, "
        + "exchange in every step, 7.2 yuan per dollar";

    /// <summary>Further assumptions of the second prediction.</summary>
    public const string Assumptions = "layout as its authors describe their runs: all layers recomputed (arXiv 2510.22115, baseline), "
        + "software of mid 2024, failures at Ant's rate with 25 min to restart (DLRover), which determines the goodput, "
        + "9T tokens in a quarter: 10 days for 1T";

    /// <summary>Returns the comparison for the devices of a catalogue.</summary>
    public static PublishedComparison Predict(ModelConfig config, DeviceCatalogue catalogue, EfficiencyTable efficiencies)
    {
        string[] names = [PublishedCost.PremiumDevice, .. PublishedCost.LowerDevices];
        return Of(ModelShape.Of(config, Model), [.. names.Select(name => EstimatedDevice.Of(catalogue[name], catalogue, efficiencies))])!;
    }

    /// <summary>
    /// Returns the comparison for the published devices in a list that have a price and a plan; null for another model or without the
    /// premium device. Other options of a plan do not change the comparison.
    /// </summary>
    public static PublishedComparison? Of(ModelShape model, IEnumerable<EstimatedDevice> devices)
    {
        EstimatedDevice[] published = [.. devices.Where(device => device.Name is PublishedCost.PremiumDevice
            || PublishedCost.LowerDevices.Contains(device.Name)).OrderBy(device => device.Name, StringComparer.Ordinal)];
        if (model.Name != Model)
        {
            return null;
        }

        var work = new Workload { Model = model, SequenceLength = 4096, SequencesPerStep = 8960, ExpertImbalance = 1.2 };
        var free = new PlanRequest { Work = work, Tokens = PublishedCost.Tokens };
        PlanRequest asRun = free with
        {
            Recompute = Recompute.Full,
            SoftwareYear = 2024.5,
            FailuresPerDeviceHour = 1.1e-4,
            RestartSeconds = 1500,
            DeadlineDays = 10,
        };
        var rows = new List<PublishedRow>();
        foreach (EstimatedDevice device in published)
        {
            if (Cheapest(device, free) is not (_, { } cost))
            {
                continue;
            }

            (Plan? plan, CostInterval? planned) = Cheapest(device, asRun);
            rows.Add(new PublishedRow(
                device.Name, device.Name == PublishedCost.PremiumDevice ? PublishedCost.Premium : PublishedCost.LowerSpecification,
                cost, planned, plan, null));
        }

        double? premium = rows.Find(row => row.Device == PublishedCost.PremiumDevice)?.AsRun?.Middle;
        return premium is null ? null
            : new PublishedComparison([.. rows.Select(row => row with { AgainstPremium = row.AsRun?.Middle / premium })]);
    }

    private static (Plan? Plan, CostInterval? Cost) Cheapest(EstimatedDevice device, PlanRequest request)
    {
        HourlyPrice price = HourlyPrice.Of(device.Spec, request);
        Plan? plan = price.PerHour is { } perHour ? DeviceSearch.Run(request, device, perHour, request.Work).Plan : null;
        return (plan, plan is null ? null : CostInterval.Of(plan, request, price));
    }
}
