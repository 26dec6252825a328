namespace Lingotto.Compute;

public abstract partial class Device
{
    /// <summary>x[i] = value</summary>
    public abstract void Fill(Tensor x, float value);

    /// <summary>y[i] = x[i]</summary>
    public abstract void Copy(Tensor x, Tensor y);

    /// <summary>y[i] += x[i]</summary>
    public abstract void Add(Tensor x, Tensor y);

    /// <summary>y[t,d] = x[t,d] * scale[d]. y may be x.</summary>
    public abstract void ScaleColumns(Tensor xTD, Tensor scaleD, Tensor yTD);

    /// <summary>y[t,:] = table[ids[t],:]</summary>
    public abstract void EmbeddingForward(Tensor idsT, Tensor tableVD, Tensor yTD);

    /// <summary>gradTable[ids[t],:] += gradY[t,:], in the order of t.</summary>
    public abstract void EmbeddingBackward(Tensor idsT, Tensor gradYTD, Tensor gradTableVD);

    /// <summary>
    /// y[t,d] = x[t,d] * rstd[t] * weight[d], rstd[t] = 1 / sqrt(mean_d x[t,d]^2 + epsilon) (Zhang and Sennrich, 2019). y is F32 or BF16.
    /// </summary>
    public abstract void RmsNormForward(Tensor xTD, Tensor weightD, float epsilon, Tensor yTD, Tensor rstdT);

    /// <summary>
    /// With n = x * rstd and g = gradY * weight: gradX = rstd * (g - n * mean_d(g * n)), gradWeight += sum_t gradY * n.
    /// Derivation in docs/derivations/rms-norm.md. gradX may be gradY.
    /// </summary>
    public abstract void RmsNormBackward(Tensor gradYTD, Tensor xTD, Tensor weightD, Tensor rstdT, Tensor gradXTD, Tensor gradWeightD);

    /// <summary>
    /// y[r,f] = silu(g) * u with g = gateUp[r,f], u = gateUp[r,F+f], silu(g) = g / (1 + exp(-g)) (Shazeer, 2020). y is F32 or BF16.
    /// </summary>
    public abstract void SwiGluForward(Tensor gateUpR2F, Tensor yRF);

    /// <summary>
    /// gradU = gradY * silu(g), gradG = gradY * u * s * (1 + g * (1 - s)) with s = 1 / (1 + exp(-g)). gradGateUp is BF16, or F32 and then
    /// may be gateUp.
    /// </summary>
    public abstract void SwiGluBackward(Tensor gradYRF, Tensor gateUpR2F, Tensor gradGateUpR2F);
}
