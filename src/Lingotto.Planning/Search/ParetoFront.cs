namespace Lingotto.Planning;

/// <summary>
/// Computes the Pareto front of a result: of every number of devices of every ranked kind the fastest layout, without dominated fleets.
/// </summary>
public static class ParetoFront
{
    /// <summary>Returns the Pareto front within deadline and budget, fastest first.</summary>
    public static IReadOnlyList<ParetoPoint> Of(PlanResult result)
    {
        PlanRequest request = result.Request;
        var points = new ParetoPoint[result.Ranked.Count][];
        Parallel.For(0, points.Length, index => points[index] = [.. Points(result.Ranked[index], request)]);
        var front = new List<ParetoPoint>();
        foreach (ParetoPoint point in points.SelectMany(device => device).OrderBy(point => point.Days).ThenBy(point => point.Cost))
        {
            if (!front.Exists(other => other.Cost <= point.Cost && other.Risk <= point.Risk))
            {
                front.Add(point);
            }
        }

        return front;
    }

    private static IEnumerable<ParetoPoint> Points(Plan plan, PlanRequest request)
    {
        foreach (FleetOption fleet in request.Variants(plan.Device)
            .SelectMany(work => FastestLayouts.Of(request, plan.Device, plan.PricePerHour, work).Fleets))
        {
            double failures = request.FailuresPerDeviceHour ?? plan.Device.FailuresPerDeviceHour;
            double goodput = Goodput.BestShare(fleet.Layout.Devices, failures, request.SaveSeconds, request.RestartSeconds);
            double seconds = request.StepsOf(fleet.Work) * fleet.SecondsWithSync(request.Work.SequencesPerStep) / goodput;
            double cost = seconds / 3600 * fleet.HourlyCost;
            if (seconds / 86400 <= request.DeadlineDays && cost <= request.Budget)
            {
                yield return new ParetoPoint(
                    plan.Device.Name, fleet.Layout.Devices, seconds / 86400, cost, plan.Interval!.LogError, fleet.Layout,
                    fleet.Work.Precision);
            }
        }
    }
}
