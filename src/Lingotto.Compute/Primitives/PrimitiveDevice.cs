namespace Lingotto.Compute;

/// <summary>
/// A device that is correct once it has its primitives: every other operation has a body here that is made of them alone and reads
/// nothing back to the host. A chip becomes fast by overriding the operations that matter.
/// </summary>
/// <remarks>
/// The primitives are the abstract members of this class, <see cref="Device.Fill"/> and <see cref="Device.DispatchPlan"/>. Tensors
/// are F32 unless a primitive says otherwise, and are seen as rows of their last dimension. A map may write over its operands.
/// Sums run in an order that depends on the shape alone.
/// </remarks>
public abstract partial class PrimitiveDevice : Device
{
    private readonly ScratchStack _scratch;

    /// <summary>A device whose scratch memory comes from its own <see cref="Device.AllocateBlock"/>.</summary>
    protected PrimitiveDevice() => _scratch = new ScratchStack(this);

    /// <inheritdoc/>
    public override long ScratchBytes => _scratch.Bytes;

    /// <summary>
    /// y[r, firstY + c] = x[r, firstX + c] for c below <paramref name="columns"/>: copies a block of columns and converts between F32,
    /// BF16 and I32 where the types differ.
    /// </summary>
    protected abstract void CopyColumns(Tensor x, int firstX, Tensor y, int firstY, int columns);

    /// <summary>y[r,:] = x[ids[r],:]</summary>
    protected abstract void GatherRows(Tensor x, Tensor idsR, Tensor y);

    /// <summary>y[ids[r],:] += x[r,:], in the order of r.</summary>
    protected abstract void ScatterAddRows(Tensor x, Tensor idsR, Tensor y);

    /// <summary>y[t,k] = x[t, ids[t,k]], and 0 where the id is negative.</summary>
    protected abstract void GatherColumns(Tensor x, Tensor idsTK, Tensor yTK);

    /// <summary>y[t, ids[t,k]] += x[t,k], and nothing where the id is negative.</summary>
    protected abstract void ScatterAddColumns(Tensor xTK, Tensor idsTK, Tensor y);

    /// <summary>
    /// y[r,n] = sum_k x[token(r),k] * w[expert(r),n,k], or += with <paramref name="accumulate"/>. Operands are F32 or BF16, sums F32.
    /// Without offsets one weight takes all rows as they are.
    /// </summary>
    protected abstract void MultiplyForward(Tensor x, RoutedRows rows, Tensor w, Tensor y, bool accumulate);

    /// <summary>
    /// gradX[r,k] = sum_n gradY[r,n] * w[expert(r),n,k], or +=; otherwise as <see cref="MultiplyForward"/>, without a gather.
    /// </summary>
    protected abstract void MultiplyBackwardInput(Tensor gradY, RoutedRows rows, Tensor w, Tensor gradX, bool accumulate);

    /// <summary>
    /// gradW[e,n,k] += sum over the rows r of expert e of gradY[r,n] * x[token(r),k]; otherwise as <see cref="MultiplyForward"/>.
    /// </summary>
    protected abstract void MultiplyBackwardWeight(Tensor gradY, Tensor x, RoutedRows rows, Tensor gradW);

    /// <summary>y = f(scale * x + shift). y is F32 or BF16.</summary>
    protected abstract void Map(UnaryFunction f, Tensor x, Tensor y, float scale = 1, float shift = 0);

    /// <summary>y[t,d] = f(a[t,d], b at what <paramref name="broadcast"/> says). y is F32 or BF16.</summary>
    protected abstract void Map(BinaryFunction f, Tensor a, Tensor b, Broadcast broadcast, Tensor y);

    /// <summary>y[t] = the reduction of row t of x.</summary>
    protected abstract void ReduceRows(RowReduction f, Tensor x, Tensor yT);

    /// <summary>y[d] += sum_t x[t,d]</summary>
    protected abstract void SumColumns(Tensor x, Tensor yD);

    /// <summary>y[t,:] = softmax of x[t,:] over the range of row t, and 0 outside it. y may be x.</summary>
    /// <param name="x">Logits.</param>
    /// <param name="range">The columns of each row; null for all.</param>
    /// <param name="y">Probabilities.</param>
    /// <param name="logSumExpT">Output: log of the softmax denominator of each row; absent when not wanted.</param>
    protected abstract void SoftmaxRows(Tensor x, SoftmaxRange? range, Tensor y, Tensor logSumExpT);

    /// <summary>ids[t,:] = the columns of the K largest elements of row t, largest first; of equal elements the lower column.</summary>
    protected abstract void TopKRows(Tensor x, Tensor idsTK);

    /// <summary>x[i] = <see cref="CounterRandom.Normals"/>(stream, j / 4)[j mod 4] with j = first + i.</summary>
    protected abstract void Normals(CounterRandom random, ulong stream, long first, Tensor x);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _scratch.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>Scratch memory of one operation, returned when the result is disposed.</summary>
    private protected ScratchStack.Frame OpenScratch() => _scratch.Open();

    private protected void Multiply(Tensor a, Tensor b, Tensor y, Broadcast broadcast = Broadcast.None) =>
        Map(BinaryFunction.Multiply, a, b, broadcast, y);

    private protected void Scale(Tensor x, float scale, Tensor y, float shift = 0) => Map(UnaryFunction.Identity, x, y, scale, shift);

    private static int TokensOf(Tensor qkv, AttentionShape shape) =>
        checked((int)(qkv.Length / ((long)shape.FusedHeads * shape.HeadDim)));

    private static Tensor Flat(Tensor x) => x.Reshape(1, checked((int)x.Length));
}
