namespace Lingotto.Compute;

/// <summary>Runs every case of the suite on a device and says how far it is from the definition of the operations.</summary>
public static class ConformanceRunner
{
    private const ulong Seed = 2026;

    /// <summary>
    /// Each operation against <see cref="ReferenceDevice"/> on the same inputs, and each row of the forward operations alone
    /// against the same row in a batch.
    /// </summary>
    public static IReadOnlyList<ConformanceResult> Run(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return
        [
            .. Check("against the reference", ConformanceSuite.All, c => CompareToReference(device, c, separate: false), c => c.Tolerance),
            .. Check("row alone", ConformanceSuite.All.Where(c => c.ForwardRow is not null), c => CompareRows(device, c), _ => 0),
        ];
    }

    /// <summary>Each tensor in a block of its own, so that a device which guards its blocks sees every stray access.</summary>
    internal static IReadOnlyList<ConformanceResult> RunSeparately(Device device) =>
        Check("in separate blocks", ConformanceSuite.All, c => CompareToReference(device, c, separate: true), c => c.Tolerance);

    /// <summary>The backward operations of <see cref="ReferenceDevice"/> against central differences of the forward ones, in F64.</summary>
    public static IReadOnlyList<ConformanceResult> CheckGradients() => Check(
        "gradients", ConformanceSuite.All.Where(GradientCheck.AppliesTo), c => GradientCheck.Run(c, Seed), _ => GradientCheck.Tolerance);

    /// <summary>Bits of every result on two devices of one kind, such as one with more threads.</summary>
    public static IReadOnlyList<ConformanceResult> CompareBits(Device device, Device other)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(other);
        return Check("equal bits", ConformanceSuite.All, c => CompareBits(device, other, c), _ => 0);
    }

    /// <summary>Managed bytes that a warm operation allocates, on all threads. Nothing else may run in the process meanwhile.</summary>
    public static IReadOnlyList<ConformanceResult> CountAllocations(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        return Check("allocated bytes", ConformanceSuite.All, c => AllocatedBytes(device, c), _ => 0);
    }

    private static List<ConformanceResult> Check(
        string check, IEnumerable<OpCase> cases, Func<OpCase, OpError> measure, Func<OpCase, double> tolerance)
    {
        var results = new List<ConformanceResult>();
        foreach (IGrouping<string, OpCase> operation in cases.GroupBy(c => c.Operation))
        {
            OpError worst = new(-1, "");
            int count = 0;
            foreach (OpCase c in operation)
            {
                OpError error = measure(c);
                worst = worst.OrWorse(error with { Where = $"{c.Sizes}, {error.Where}" });
                count++;
            }

            results.Add(new($"{operation.Key} {check}", count, worst.Where, worst.Error, tolerance(operation.First())));
        }

        return results;
    }

    private static OpError CompareToReference(Device device, OpCase c, bool separate)
    {
        using var reference = new ReferenceDevice();
        using var expected = new OpOperands(c, reference, DType.F64, Seed);
        using var actual = new OpOperands(c, device, DType.F32, Seed, separate: separate);
        using OpOperands? scale = c.IsProduct ? new OpOperands(c, reference, DType.F64, Seed, absolute: true) : null;
        OpError worst = Compare(c, c.Forward, actual, expected, scale);
        if (c.Backward is null)
        {
            return worst;
        }

        // Backward is fed the same rounded inputs on both sides: what forward saved counts as one.
        foreach (OpTensor t in c.Tensors.Where(t => t.IsResult && t.DType != DType.I32))
        {
            double[] rounded = [.. expected.Read(t.Name).Select(t.Round)];
            expected.Write(t.Name, rounded);
            actual.Write(t.Name, rounded);
        }

        return worst.OrWorse(Compare(c, c.Backward, actual, expected, scale));
    }

    private static OpError Compare(OpCase c, Action<OpOperands> operation, OpOperands actual, OpOperands expected, OpOperands? scale)
    {
        operation(actual);
        operation(expected);
        if (scale is not null)
        {
            operation(scale);
        }

        OpError worst = new(0, "");
        foreach (OpTensor t in c.Tensors)
        {
            double[]? scales = t.IsResult && t.DType != DType.I32 ? scale?.Read(t.Name) : null;
            worst = worst.OrWorse(OpError.Between(t.Name, actual.Read(t.Name), expected.Read(t.Name), scales));
        }

        return worst;
    }

    private static OpError CompareRows(Device device, OpCase c)
    {
        using var batch = new OpOperands(c, device, DType.F32, Seed);
        using var alone = new OpOperands(c, device, DType.F32, Seed);
        c.Forward(batch);
        for (int row = 0; row < c.Rows; row++)
        {
            c.ForwardRow!(alone, row);
        }

        return OpError.BetweenBits(c, batch, alone);
    }

    private static OpError CompareBits(Device device, Device other, OpCase c)
    {
        using var first = new OpOperands(c, device, DType.F32, Seed);
        using var second = new OpOperands(c, other, DType.F32, Seed);
        foreach (OpOperands operands in (ReadOnlySpan<OpOperands>)[first, second])
        {
            c.Forward(operands);
            c.Backward?.Invoke(operands);
        }

        return OpError.BetweenBits(c, first, second);
    }

    private static OpError AllocatedBytes(Device device, OpCase c)
    {
        const int Attempts = 5;
        using var operands = new OpOperands(c, device, DType.F32, Seed);
        long least = long.MaxValue;
        for (int attempt = 0; attempt < Attempts && least > 0; attempt++)
        {
            // The first call is the warm-up; the least of several leaves out what the runtime itself allocates now and then.
            c.Forward(operands);
            c.Backward?.Invoke(operands);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            c.Forward(operands);
            c.Backward?.Invoke(operands);
            device.Synchronize();
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }

        return new(least, "bytes");
    }
}
