namespace Lingotto.Compute;

/// <summary>
/// (P(x + h) - P(x - h)) / 2h against what backward gives for x, P the projection of the results on fixed cotangents; on
/// the reference in F64.
/// </summary>
internal static class GradientCheck
{
    /// <summary>Truncation is of order h^2, rounding of order 1e-16 / h: both far below this, relative to the largest gradient.</summary>
    public const double Tolerance = 1e-6;

    private const double Step = 1e-5;

    /// <summary>Elements of a tensor that are varied, spread evenly.</summary>
    private const int Samples = 16;

    /// <summary>Elements beyond which a case adds time and no insight.</summary>
    private const int LargestCase = 4000;

    public static bool AppliesTo(OpCase c) => c.Projection.Count > 0 && c.Tensors.Sum(t => t.Length) <= LargestCase;

    public static OpError Run(OpCase c, ulong seed)
    {
        using var device = new ReferenceDevice();
        using var operands = new OpOperands(c, device, DType.F64, seed);
        var before = c.Gradients.ToDictionary(pair => pair.Gradient, pair => StartOf(c, operands, pair.Gradient));
        c.Forward(operands);
        c.Backward!(operands);
        OpError worst = new(0, "");
        foreach ((string input, string gradient) in c.Gradients)
        {
            double[] analytic = [.. operands.Read(gradient).Zip(before[gradient], (after, start) => after - start)];
            worst = worst.OrWorse(Check(c, seed, input, analytic));
        }

        return worst;
    }

    /// <summary>Accumulated gradients start at their values before; a cotangent that is rotated in place starts at 0.</summary>
    private static double[] StartOf(OpCase c, OpOperands operands, string gradient)
    {
        bool accumulated = c.Tensors.Single(t => t.Name == gradient).Role == OpRole.Changed
            && !c.Projection.Any(p => p.Cotangent == gradient);
        double[] start = operands.Read(gradient);
        return accumulated ? start : new double[start.Length];
    }

    private static OpError Check(OpCase c, ulong seed, string input, double[] analytic)
    {
        using var device = new ReferenceDevice();
        using var operands = new OpOperands(c, device, DType.F64, seed);
        double[] values = operands.Read(input);
        double largest = analytic.Max(Math.Abs), worst = 0;
        int stride = Math.Max(1, values.Length / Samples);
        for (int i = 0; i < values.Length; i += stride)
        {
            double numeric = (Projection(i, Step) - Projection(i, -Step)) / (2 * Step);
            double error = Math.Abs(numeric - analytic[i]) / Math.Max(largest, 1e-3);
            worst = double.IsNaN(error) ? double.PositiveInfinity : Math.Max(worst, error);
        }

        return new(worst, input);

        double Projection(int i, double step)
        {
            operands.Reset();
            double[] moved = [.. values];
            moved[i] += step;
            operands.Write(input, moved);
            double[][] cotangents = [.. c.Projection.Select(p => operands.Read(p.Cotangent))];
            c.Forward(operands);
            return c.Projection.Select((p, j) => operands.Read(p.Result).Zip(cotangents[j], (y, g) => y * g).Sum()).Sum();
        }
    }
}
