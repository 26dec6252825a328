namespace Lingotto.Runs;

/// <summary>How a learning rate falls from 1 to a final share; also what weights of merged checkpoints are derived from.</summary>
internal static class DecayCurve
{
    public const string Linear = "linear", Cosine = "cosine", InverseSqrt = "inverse_sqrt", OneMinusSqrt = "one_minus_sqrt";

    public static IReadOnlyList<string> Names { get; } = [Linear, Cosine, InverseSqrt, OneMinusSqrt];

    /// <summary>
    /// The rate when a share <paramref name="done"/> of the decay is over, in [0, 1]: 1 at its beginning,
    /// <paramref name="final"/> at its end. The inverse square root is the one multiple of 1 / sqrt(t + t0) through both.
    /// </summary>
    public static double At(string name, double done, double final) => name switch
    {
        Cosine => final + ((1 - final) * (1 + Math.Cos(Math.PI * done)) / 2),
        InverseSqrt => 1 / Math.Sqrt(1 + (((1 / (final * final)) - 1) * done)),
        OneMinusSqrt => final + ((1 - final) * (1 - Math.Sqrt(done))),
        _ => 1 - ((1 - final) * done),
    };
}
