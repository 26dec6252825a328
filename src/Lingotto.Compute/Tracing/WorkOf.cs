namespace Lingotto.Compute;

/// <summary>The work of an operation from its operands.</summary>
internal static class WorkOf
{
    /// <summary>Passes over memory; the shape is that of the first operand.</summary>
    public static OperationWork Moving(params ReadOnlySpan<Tensor> tensors) =>
        new(0, BytesOf(tensors), tensors[0].Rows, tensors[0].Columns);

    /// <summary>rows x columns x depth multiply-adds, for any number of groups.</summary>
    public static OperationWork MatMul(int rows, PreparedWeight weight, bool forward, params ReadOnlySpan<Tensor> tensors)
    {
        Tensor w = weight.Weight;
        int outputs = w[-2], inputs = w[-1];
        return new(
            2.0 * rows * outputs * inputs, BytesOf(tensors) + BytesOf(w), rows, forward ? outputs : inputs, forward ? inputs : outputs,
            w.Rank == 3 ? w[0] : 0);
    }

    /// <summary>
    /// Scores and their weighted sum, each 2 C operations for every pair of a row and one at or before it in its sequence. Where
    /// documents end within a sequence it is less: the host does not know them.
    /// </summary>
    public static OperationWork Attention(double productsPerPair, AttentionShape shape, params ReadOnlySpan<Tensor> tensors)
    {
        int tokens = (int)(tensors[0].Length / ((long)shape.FusedHeads * shape.HeadDim));
        double pairs = tokens * (shape.SequenceLength + 1.0) / 2 * shape.NumHeads;
        return new(2 * productsPerPair * pairs * shape.HeadDim, BytesOf(tensors), tokens, shape.NumHeads * shape.HeadDim,
            shape.SequenceLength);
    }

    /// <summary>The same against a cache: pairs reach back to position 0, and of the cache only what is filled is read.</summary>
    public static OperationWork AttentionWithCache(Tensor qkvTQC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTHC)
    {
        int tokens = (int)(qkvTQC.Length / ((long)shape.FusedHeads * shape.HeadDim)), filled = firstPosition + tokens;
        double pairs = tokens * (firstPosition + (tokens + 1.0) / 2) * shape.NumHeads, cache = BytesOf(cache2GPC) * filled / cache2GPC[-2];
        return new(4 * pairs * shape.HeadDim, BytesOf(qkvTQC, yTHC) + cache, tokens, shape.NumHeads * shape.HeadDim, filled);
    }

    public static double BytesOf(params ReadOnlySpan<Tensor> tensors)
    {
        double bytes = 0;
        foreach (Tensor tensor in tensors)
        {
            bytes += tensor.IsAbsent ? 0 : (double)tensor.Length * tensor.DType.Size();
        }

        return bytes;
    }
}
