namespace Lingotto.Cli;

/// <summary>The load of a layer's experts as a row of bars; a bar half as high as the line is the even share.</summary>
internal static class LoadBars
{
    private const string Bars = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588";

    /// <summary>One character an expert; when there are more experts than room, the busiest of each group.</summary>
    public static string Draw(IReadOnlyList<int> load, int width)
    {
        double even = Math.Max(1e-9, load.Average());
        int count = Math.Clamp(width, 0, load.Count);
        var bars = new char[count];
        for (int i = 0; i < count; i++)
        {
            double busiest = 0;
            for (int expert = i * load.Count / count; expert < (i + 1) * load.Count / count; expert++)
            {
                busiest = Math.Max(busiest, load[expert]);
            }
            // An expert without tokens shows as a gap, any other at least as the lowest bar.
            bars[i] = Bars[busiest == 0 ? 0 : Math.Clamp((int)Math.Round(4 * busiest / even), 1, Bars.Length - 1)];
        }

        return new string(bars);
    }
}
