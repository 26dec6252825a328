namespace Lingotto.Compute;

/// <summary>An error and the tensor it was found in.</summary>
internal readonly record struct OpError(double Error, string Where)
{
    public OpError OrWorse(OpError other) => other.Error > Error ? other : this;

    /// <summary>
    /// The largest difference relative to the scale of its element or, without scales, to the largest magnitude expected.
    /// Where the scale is 0 only equality will do, and not-a-number is infinitely wrong unless it is expected.
    /// </summary>
    public static OpError Between(string name, double[] actual, double[] expected, double[]? scales)
    {
        double largest = 0, worst = 0;
        foreach (double x in expected)
        {
            largest = Math.Max(largest, double.IsNaN(x) ? 0 : Math.Abs(x));
        }

        for (int i = 0; i < expected.Length; i++)
        {
            if (!actual[i].Equals(expected[i]) && actual[i] != expected[i])
            {
                double error = Math.Abs(actual[i] - expected[i]) / (scales is null ? largest : Math.Abs(scales[i]));
                worst = double.IsNaN(error) ? double.PositiveInfinity : Math.Max(worst, error);
            }
        }

        return new(worst, name);
    }

    /// <summary>The number of elements whose bits differ.</summary>
    public static OpError BetweenBits(OpCase c, OpOperands first, OpOperands second)
    {
        OpError worst = new(0, "");
        foreach (OpTensor t in c.Tensors)
        {
            int different = first.Read(t.Name)
                .Zip(second.Read(t.Name), (a, b) => BitConverter.DoubleToInt64Bits(a) == BitConverter.DoubleToInt64Bits(b) ? 0 : 1).Sum();
            worst = worst.OrWorse(new(different, t.Name));
        }

        return worst;
    }
}
