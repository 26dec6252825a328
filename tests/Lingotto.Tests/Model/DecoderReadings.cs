using Lingotto.Model;

namespace Lingotto.Tests;

/// <summary>One micro-batch as an update of its own, and what tests read of it.</summary>
internal static class DecoderReadings
{
    /// <summary>Adds the gradients of the batch and returns the sum of its losses in nats.</summary>
    public static float LossAndGradients(this TrainableDecoder decoder, float gradScale, in RouterTraining router, float mtpWeight = 0)
    {
        decoder.Statistics.Clear();
        decoder.ComputeGradients(gradScale, router, mtpWeight);
        decoder.Statistics.Read();
        return (float)decoder.Statistics.LossSum;
    }

    /// <summary>Tokens of each expert of a layer in the last micro-batch.</summary>
    public static int[] ExpertLoad(this TrainableDecoder decoder, int layer) =>
        [.. Enumerable.Range(0, decoder.Config.NumExperts).Select(e => decoder.Statistics.TokensOf(decoder.IndexOf(layer), e))];

    /// <summary>Balance loss and z-loss of a layer in the last micro-batch.</summary>
    public static (float Balance, float Z) RouterLosses(this TrainableDecoder decoder, int layer) =>
        decoder.Statistics.RouterLosses(decoder.IndexOf(layer));


    private static int IndexOf(this TrainableDecoder decoder, int layer) => decoder.MoeLayers.ToList().IndexOf(layer);
}
