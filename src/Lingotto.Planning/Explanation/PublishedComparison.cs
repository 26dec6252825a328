namespace Lingotto.Planning;

/// <summary>A device beside the published costs.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Published">What was published for it, or for the unnamed device that it may be.</param>
/// <param name="Free">The cheapest plan.</param>
/// <param name="AsRun">The cheapest plan under the assumptions on how the run was laid out; null where there is none.</param>
/// <param name="AsRunPlan">That plan.</param>
/// <param name="AgainstPremium">Cost over that of the premium device, both as run.</param>
public sealed record PublishedRow(string Device, double Published, CostInterval Free, CostInterval? AsRun, Plan? AsRunPlan, double? AgainstPremium)
{
    /// <summary>Predicted over published, less one.</summary>
    public double? Error => AsRun?.Middle / Published - 1;

    /// <summary>The 80 % interval contains what was published.</summary>
    public bool Contains => AsRun?.Low <= Published && Published <= AsRun.High;
}

/// <summary>
/// The five devices of arXiv 2503.05139 twice: as cheap as the search makes them, and laid out as far as its authors tell how they
/// train. A search finds what tuned software of today could do; a run of 2024 did less.
/// </summary>
public sealed record PublishedComparison(IReadOnlyList<PublishedRow> Rows)
{
    private const string Model = "ling-plus";

    /// <summary>What both columns assume.</summary>
    public const string Common = "1T tokens in updates of 8,960 sequences of 4,096, busiest expert rank at 1.2 times the mean, exchange in every step, 7.2 yuan for a dollar";

    /// <summary>What the second column assumes besides.</summary>
    public const string Assumptions = "laid out as its authors describe their runs: all layers recomputed (arXiv 2510.22115, baseline), software of mid 2024, "
        + "failures at Ant's rate with 25 min to restart (DLRover), from which useful time follows, 9T tokens in a quarter: 10 days for 1T";

    /// <summary>The comparison by the devices of the shipped catalogue.</summary>
    public static PublishedComparison Predict(Formats.ModelConfig config, DeviceCatalogue catalogue, EfficiencyTable efficiencies)
    {
        string[] names = [PublishedCost.PremiumDevice, .. PublishedCost.LowerDevices];
        return Of(ModelShape.Of(config, Model), [.. names.Select(name => DeviceEstimate.Of(catalogue[name], catalogue, efficiencies))])!;
    }

    /// <summary>
    /// The comparison for those of some devices that were published and have a price and a plan; null for another model or where the
    /// premium device is not among them. What else was asked of a plan does not change it.
    /// </summary>
    public static PublishedComparison? Of(ModelShape model, IEnumerable<DeviceEstimate> devices)
    {
        DeviceEstimate[] published = [.. devices.Where(device => device.Device.Name is PublishedCost.PremiumDevice
            || PublishedCost.LowerDevices.Contains(device.Device.Name)).OrderBy(device => device.Device.Name, StringComparer.Ordinal)];
        if (model.Name != Model)
            return null;
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
        foreach (DeviceEstimate device in published)
        {
            if (Cheapest(device, free) is not (_, { } cost))
                continue;
            (Plan? plan, CostInterval? planned) = Cheapest(device, asRun);
            rows.Add(new PublishedRow(
                device.Device.Name, device.Device.Name == PublishedCost.PremiumDevice ? PublishedCost.Premium : PublishedCost.LowerSpecification,
                cost, planned, plan, null));
        }

        double? premium = rows.Find(row => row.Device == PublishedCost.PremiumDevice)?.AsRun?.Middle;
        return premium is null ? null : new PublishedComparison([.. rows.Select(row => row with { AgainstPremium = row.AsRun?.Middle / premium })]);
    }

    private static (Plan? Plan, CostInterval? Cost) Cheapest(DeviceEstimate device, PlanRequest request)
    {
        HourlyPrice price = HourlyPrice.Of(device.Device, request);
        Plan? plan = price.PerHour is { } perHour ? DeviceSearch.Run(request, device, perHour, request.Work).Plan : null;
        return (plan, plan is null ? null : CostInterval.Of(plan, request, price));
    }
}
