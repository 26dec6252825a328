namespace Lingotto.Planning;

/// <summary>The predicted and the published cost of a device.</summary>
/// <param name="Device">Name of the device.</param>
/// <param name="Published">Published cost of the device, or of the unnamed device that it may be.</param>
/// <param name="Free">Cost of the cheapest plan.</param>
/// <param name="AsRun">Cost of the cheapest plan under the assumptions on the layout of the run; null if there is none.</param>
/// <param name="AsRunPlan">The plan of <paramref name="AsRun"/>.</param>
/// <param name="AgainstPremium">Cost over the cost of the premium device, both as run.</param>
public sealed record PublishedRow(
    string Device, double Published, CostInterval Free, CostInterval? AsRun, Plan? AsRunPlan, double? AgainstPremium)
{
    /// <summary>Predicted over published cost, minus 1.</summary>
    public double? Error => AsRun?.Middle / Published - 1;

    /// <summary>True if the 80 % interval contains the published cost.</summary>
    public bool Contains => AsRun?.Low <= Published && Published <= AsRun.High;
}
