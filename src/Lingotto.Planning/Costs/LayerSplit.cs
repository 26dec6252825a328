namespace Lingotto.Planning;

/// <summary>Layers to stages of unequal speed so that the slowest stage is as fast as can be: each layer to the stage that ends first with it.</summary>
/// <remarks>For times that grow linearly with layers the greedy choice is the optimum of the largest, with limits on layers too.</remarks>
public static class LayerSplit
{
    /// <summary>Fills <paramref name="layers"/>; every stage has one layer at least. False if the stages cannot hold all layers.</summary>
    /// <param name="secondsPerLayer">Of each stage.</param>
    /// <param name="fixedSeconds">Of each stage besides its layers: embedding, head.</param>
    /// <param name="count">Layers in all, not fewer than stages.</param>
    /// <param name="layers">Layers of each stage.</param>
    /// <param name="most">Layers that each stage can hold; empty for no limit.</param>
    public static bool Balance(
        ReadOnlySpan<double> secondsPerLayer, ReadOnlySpan<double> fixedSeconds, int count, Span<int> layers, ReadOnlySpan<int> most = default)
    {
        layers.Fill(1);
        for (int given = layers.Length; given < count; given++)
        {
            int best = -1;
            double least = double.PositiveInfinity;
            for (int stage = 0; stage < layers.Length; stage++)
            {
                double end = fixedSeconds[stage] + (layers[stage] + 1) * secondsPerLayer[stage];
                if (end < least && (most.IsEmpty || layers[stage] < most[stage]))
                    (best, least) = (stage, end);
            }

            if (best < 0)
                return false;
            layers[best]++;
        }

        return true;
    }
}
