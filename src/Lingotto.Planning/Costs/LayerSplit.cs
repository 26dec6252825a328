namespace Lingotto.Planning;

/// <summary>Layers to stages of unequal speed so that the slowest stage is as fast as can be: each layer to the stage that ends first with it.</summary>
/// <remarks>For times that grow linearly with layers the greedy choice is the optimum of the largest.</remarks>
public static class LayerSplit
{
    /// <summary>Fills <paramref name="layers"/>; every stage has one layer at least.</summary>
    /// <param name="secondsPerLayer">Of each stage.</param>
    /// <param name="fixedSeconds">Of each stage besides its layers: embedding, head.</param>
    /// <param name="count">Layers in all, not fewer than stages.</param>
    /// <param name="layers">Layers of each stage.</param>
    public static void Balance(ReadOnlySpan<double> secondsPerLayer, ReadOnlySpan<double> fixedSeconds, int count, Span<int> layers)
    {
        layers.Fill(1);
        for (int given = layers.Length; given < count; given++)
        {
            int best = 0;
            double least = double.PositiveInfinity;
            for (int stage = 0; stage < layers.Length; stage++)
            {
                double end = fixedSeconds[stage] + (layers[stage] + 1) * secondsPerLayer[stage];
                if (end < least)
                    (best, least) = (stage, end);
            }

            layers[best]++;
        }
    }
}
