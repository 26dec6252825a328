namespace Lingotto.Planning;

/// <summary>Names the bottleneck of a plan: what keeps the plan from being cheaper.</summary>
public static class Bottleneck
{
    /// <summary>
    /// Returns the largest part of the time other than matmuls, and memory or deadline if they are used to more than 90 %.
    /// </summary>
    public static string Of(Plan plan, PlanRequest request)
    {
        double memory = plan.Memory.Total / plan.Device.Rates(plan.Precision).MemoryBytes, deadline = plan.Days / request.DeadlineDays;
        IReadOnlyList<double> parts = plan.Step.Parts;
        int largest = 1;
        for (int i = 1; i < parts.Count; i++)
        {
            largest = parts[i] > parts[largest] ? i : largest;
        }

        string time = FormattableString.Invariant($"{StepTime.PartNames[largest]} {100 * parts[largest] / plan.Step.Total:F0} %");
        return (memory > 0.9, deadline > 0.9) switch
        {
            (true, true) => $"memory, deadline, {time}",
            (true, false) => $"memory, {time}",
            (false, true) => $"deadline, {time}",
            _ => time,
        };
    }
}
