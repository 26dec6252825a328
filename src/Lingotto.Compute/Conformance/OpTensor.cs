namespace Lingotto.Compute;

/// <summary>What an operation does with a tensor.</summary>
internal enum OpRole
{
    /// <summary>Read.</summary>
    Input,

    /// <summary>Read through <see cref="Device.Prepare"/>.</summary>
    Weight,

    /// <summary>Read and changed: accumulated gradients, operations in place.</summary>
    Changed,

    /// <summary>Overwritten; holds not-a-number beforehand, so that a read shows.</summary>
    Output,
}

/// <summary>One tensor of a case. Real tensors are F32 or BF16 on the device under test and F64 on the reference.</summary>
internal sealed record OpTensor(string Name, OpRole Role, DType DType, int[] Shape)
{
    /// <summary>The values themselves, where they are not drawn.</summary>
    public double[]? Values { get; init; }

    /// <summary>Standard deviation of the values drawn.</summary>
    public double Deviation { get; init; } = 1;

    /// <summary>Mean of the values drawn.</summary>
    public double Mean { get; init; }

    /// <summary>Draw squares instead: second moments.</summary>
    public bool Squared { get; init; }

    /// <summary>Precision in which a weight is prepared.</summary>
    public DType Precision { get; init; } = DType.F32;

    /// <summary>Draw values that bfloat16 holds exactly, so that a device which rounds them changes nothing.</summary>
    public bool Rounded { get; init; }

    public int Length => Shape.Aggregate(1, (product, dim) => product * dim);

    public bool IsResult => Role is OpRole.Changed or OpRole.Output;

    /// <summary>The value as this tensor stores it.</summary>
    public double Round(double x) => Rounded || DType == DType.BF16 ? BFloat16.ToSingle(BFloat16.FromSingle((float)x)) : (float)x;

    /// <summary>The values before the operation: a function of the seed and the tensor's place alone, exact in its precision.</summary>
    public double[] Initial(ulong seed, string place)
    {
        if (Values is not null)
        {
            return Values;
        }

        if (Role == OpRole.Output)
        {
            return [.. Enumerable.Repeat(DType == DType.I32 ? -1 : double.NaN, Length)];
        }

        var random = new CounterRandom(seed, RandomPurpose.Initialization);
        ulong stream = (place + "." + Name).Aggregate(14695981039346656037UL, (hash, c) => unchecked((hash ^ c) * 1099511628211UL));
        var values = new double[Length];
        for (int i = 0; i < values.Length; i++)
        {
            double x = Mean + Deviation * random.Normal(stream, (ulong)i);
            values[i] = Round(Squared ? x * x : x);
        }

        return values;
    }
}
