namespace Lingotto.Planning;

/// <summary>
/// Distributes layers over stages of unequal speed so that the slowest stage is as fast as possible: each layer goes to the stage that
/// would finish first with it.
/// </summary>
/// <remarks>Times grow linearly with layers, so the greedy choice is optimal, with limits on layers too.</remarks>
public static class LayerSplit
{
    /// <summary>
    /// Fills <paramref name="layers"/> with at least one layer per stage. Returns false if the stages cannot hold all layers.
    /// </summary>
    /// <param name="secondsPerLayer">Seconds of a layer on each stage.</param>
    /// <param name="fixedSeconds">Seconds of each stage without its layers: embedding, head.</param>
    /// <param name="count">Number of layers to distribute, at least the number of stages.</param>
    /// <param name="layers">Receives the layers of each stage.</param>
    /// <param name="maxLayers">Max layers of each stage; empty for no limit.</param>
    public static bool Balance(
        ReadOnlySpan<double> secondsPerLayer, ReadOnlySpan<double> fixedSeconds, int count, Span<int> layers,
        ReadOnlySpan<int> maxLayers = default)
    {
        layers.Fill(1);
        for (int assigned = layers.Length; assigned < count; assigned++)
        {
            int best = -1;
            double bestEnd = double.PositiveInfinity;
            for (int stage = 0; stage < layers.Length; stage++)
            {
                double end = fixedSeconds[stage] + (layers[stage] + 1) * secondsPerLayer[stage];
                if (end < bestEnd && (maxLayers.IsEmpty || layers[stage] < maxLayers[stage]))
                {
                    (best, bestEnd) = (stage, end);
                }
            }

            if (best < 0)
            {
                return false;
            }

            layers[best]++;
        }

        return true;
    }
}
