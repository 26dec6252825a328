namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    private static IEnumerable<OpCase> Losses()
    {
        foreach (int size in s_edges)
        {
            yield return CrossEntropy(size, 11, 5, inPlace: false);
            yield return CrossEntropy(4, size, 6, inPlace: false);
            yield return CrossEntropy(4, 9, size, inPlace: true);
            yield return InBf16(CrossEntropy(4, size, 6, inPlace: true));
            yield return InBf16(CrossEntropy(size, 70, 9, inPlace: false));
            yield return WithRows(CrossEntropy(size, 11, 5, inPlace: false), weights: true, logProbs: false);
            yield return WithRows(CrossEntropy(size, 13, 4, inPlace: true), weights: false, logProbs: true);
            yield return WithRows(CrossEntropy(5, size, 7, inPlace: false), weights: true, logProbs: true);
            yield return InBf16(WithRows(CrossEntropy(5, size, 6, inPlace: false), weights: true, logProbs: true));
            yield return ColumnInverseNorm(size, 7);
            yield return ColumnInverseNorm(9, size);
        }

        // More tokens than a chunk of logits has, and more vocabulary than a block of the weight gradient.
        yield return CrossEntropy(1031, 5, 3, inPlace: true);
        yield return WithRows(CrossEntropy(1031, 5, 3, inPlace: false), weights: true, logProbs: true);
        yield return CrossEntropy(10, 523, 17, inPlace: false);
        yield return ColumnInverseNorm(5003, 65);
    }

    /// <summary>Every third target is ignored.</summary>
    private static OpCase CrossEntropy(int tokens, int vocabulary, int hidden, bool inPlace)
    {
        const float GradScale = 0.125f;
        int[] targets = [.. Scattered(tokens, vocabulary).Select((target, t) => t % 3 == 1 ? Device.IgnoredTarget : target)];
        return new(inPlace ? "linear_cross_entropy in place" : "linear_cross_entropy", $"{tokens} x {vocabulary} x {hidden}")
        {
            Tensors =
            [
                inPlace ? Changed("h", tokens, hidden) : In("h", tokens, hidden), Weight("w", vocabulary, hidden), Ints("targets", targets),
                Out("loss", tokens), In("gradLoss", tokens) with { Values = [.. Enumerable.Repeat((double)GradScale, tokens)] },
                Out("gradH", tokens, hidden), Changed("gradW", vocabulary, hidden),
            ],
            Forward = t => t.Device.LinearCrossEntropy(
                t["h"], t.Prepared("w"), t["targets"], 0, t["loss"], default, default, t.Optional("weights"), t.Optional("logProbs")),
            Backward = t => t.Device.LinearCrossEntropy(
                t["h"], t.Prepared("w"), t["targets"], GradScale, t["loss"], t[inPlace ? "h" : "gradH"], t["gradW"],
                t.Optional("weights"), t.Optional("logProbs")),
            Projection = inPlace ? [] : [("loss", "gradLoss")],
            Gradients = [("h", "gradH"), ("w", "gradW")],
        };
    }

    /// <summary>A case with weights of any sign, one of them 0, or with the log-probabilities as an output, or both.</summary>
    private static OpCase WithRows(OpCase c, bool weights, bool logProbs)
    {
        int tokens = c.Tensors.Single(t => t.Name == "loss").Length;
        double[] values = [.. Enumerable.Range(0, tokens).Select(t => (double)(t % 7 - 2) / 4)];
        return c with
        {
            Operation = $"{c.Operation} with {(weights ? logProbs ? "weights and log-probabilities" : "weights" : "log-probabilities")}",
            Tensors =
            [
                .. c.Tensors, .. weights ? [In("weights", tokens) with { Values = values }] : Array.Empty<OpTensor>(),
                .. logProbs ? [Out("logProbs", tokens)] : Array.Empty<OpTensor>(),
            ],
        };
    }

    /// <summary>Matmuls in bfloat16: the gradients of the logits are rounded before the backward matmuls.</summary>
    private static OpCase InBf16(OpCase c) => c with
    {
        Operation = c.Operation + " in bf16",
        Tensors = [.. c.Tensors.Select(t => t with { Rounded = t.Name is "h" or "w", Precision = t.Name == "w" ? DType.BF16 : DType.F32 })],
        Projection = [],
        Gradients = [],
        Tolerance = RoundedInside,
    };

    private static OpCase ColumnInverseNorm(int rows, int columns) => new("column_inverse_norm", $"{rows} x {columns}")
    {
        Tensors = [In("w", rows, columns), Out("inverseNorm", columns)],
        Forward = t => t.Device.ColumnInverseNorm(t["w"], t["inverseNorm"]),
    };

    private static IEnumerable<OpCase> Optimizer()
    {
        foreach (int n in s_flatLengths)
        {
            yield return AdamW(n, new AdamWStep(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, Step: 1, GradScale: 0.5f));
            yield return AdamW(n, new AdamWStep(3e-2f, 0.9f, 0.999f, 1e-5f, 0f, Step: 1000, GradScale: 1f));
        }
    }

    private static OpCase AdamW(int n, AdamWStep step) => new("adamw", $"{n}, step {step.Step}")
    {
        Tensors =
        [
            Changed("parameters", n), Changed("gradients", n), Changed("firstMoments", n),
            Changed("secondMoments", n) with { Squared = true },
        ],
        Forward = t => t.Device.AdamWUpdate(t["parameters"], t["gradients"], t["firstMoments"], t["secondMoments"], step),
    };
}
