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
public sealed record PublishedComparison(double Scale, IReadOnlyList<PublishedRow> Rows)
{
    /// <summary>What the second column assumes.</summary>
    public const string Assumptions = "laid out as its authors describe their runs: all layers recomputed (arXiv 2510.22115, baseline), software of mid 2024, "
        + "failures at Ant's rate with 25 min to restart (DLRover), 9T tokens in a quarter: 10 days for 1T";

    /// <summary>The comparison from the model's configuration; sequences of 4,096 in updates of 8,960, imbalance 1.2.</summary>
    public static PublishedComparison Predict(Formats.ModelConfig config, DeviceCatalogue catalogue, EfficiencyTable efficiencies)
    {
        var work = new Workload
        {
            Model = ModelShape.Of(config, "ling-plus"),
            SequenceLength = 4096,
            SequencesPerStep = 8960,
            ExpertImbalance = 1.2,
        };
        string[] names = [PublishedCost.PremiumDevice, .. PublishedCost.LowerDevices];
        return Of(Planner.Run(
            new PlanRequest { Work = work, Tokens = PublishedCost.Tokens }, [.. names.Select(name => DeviceEstimate.Of(catalogue[name], catalogue, efficiencies))]))!;
    }

    /// <summary>The comparison; null for another model or without the devices' prices.</summary>
    public static PublishedComparison? Of(PlanResult result)
    {
        PlanRequest request = result.Request;
        if (request.Work.Model.Name != "ling-plus" || request.Currency != "CNY")
            return null;
        double scale = request.Tokens / PublishedCost.Tokens;
        PlanRequest asRun = request with
        {
            Recompute = Recompute.Full,
            SoftwareYear = 2024.5,
            FailuresPerDeviceHour = 1.1e-4,
            RestartSeconds = 1500,
            DeadlineDays = 10 * scale,
        };
        var found = new List<(string Name, CostInterval Free, CostInterval? AsRun, Plan? Plan)>();
        foreach (PlanOption option in result.Ranked.Where(option => option.Device.Device.Name is PublishedCost.PremiumDevice
            || PublishedCost.LowerDevices.Contains(option.Device.Device.Name)).OrderBy(option => option.Device.Device.Name, StringComparer.Ordinal))
        {
            Plan? plan = DeviceSearch.Run(asRun, option.Device, option.Price.PerHour!.Value, asRun.Work).Plan;
            found.Add((option.Device.Device.Name, option.Interval!, plan is null ? null : CostInterval.Of(plan, asRun, option.Price), plan));
        }

        if (found.Find(device => device.Name == PublishedCost.PremiumDevice).AsRun is not { } premium)
            return null;
        return new PublishedComparison(scale, [.. found.Select(device => new PublishedRow(
            device.Name, scale * (device.Name == PublishedCost.PremiumDevice ? PublishedCost.Premium : PublishedCost.LowerSpecification),
            device.Free, device.AsRun, device.Plan, device.AsRun?.Middle / premium.Middle))]);
    }
}
