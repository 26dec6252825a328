namespace Lingotto.Runs;

/// <summary>Where the wall time of a run went, from its first start to its last line.</summary>
/// <param name="WallSeconds">All of it.</param>
/// <param name="StepSeconds">Steps that count, each once.</param>
/// <param name="LostSeconds">Steps that were done again after a resume.</param>
/// <param name="DownSeconds">Between sessions.</param>
internal sealed record Goodput(double WallSeconds, double StepSeconds, double LostSeconds, double DownSeconds)
{
    /// <summary>The share that was spent in steps that count.</summary>
    public double Share => Math.Min(1, StepSeconds / WallSeconds);

    /// <summary>Starting, held-out measurements, checkpoints, samples.</summary>
    public double OtherSeconds => Math.Max(0, WallSeconds - StepSeconds - LostSeconds - DownSeconds);

    /// <summary>Null where the lines hold no times.</summary>
    public static Goodput? Of(RunHistory.State history)
    {
        if (history.FirstTime is not { } first || history.LastTime is not { } last || last <= first)
        {
            return null;
        }

        double down = 0;
        for (int i = 1; i < history.Sessions.Count; i++)
        {
            down += Math.Max(0, history.Sessions[i].Start - history.Sessions[i - 1].End ?? 0);
        }

        return new Goodput(last - first, history.StepSeconds, history.Sessions.Sum(session => session.LostSeconds), down);
    }
}
