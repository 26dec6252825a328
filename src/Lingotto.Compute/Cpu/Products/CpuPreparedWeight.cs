namespace Lingotto.Compute;

/// <summary>
/// Panels of a weight for forward (depth K, columns N) and, where it is trained, for dgrad (depth N, columns K): of words for
/// the assembled kernels, or of floats, rounded to bfloat16 where matmuls in it are asked for.
/// </summary>
internal sealed class CpuPreparedWeight : PreparedWeight
{
    public CpuPreparedWeight(Tensor weight, DType precision, bool assembled, Tensor forwardPanels, Tensor backwardPanels)
        : base(weight, precision)
    {
        Assembled = assembled;
        Groups = weight.Rank == 3 ? weight[0] : 1;
        Outputs = weight[-2];
        Inputs = weight[-1];
        ForwardPanels = forwardPanels;
        BackwardPanels = backwardPanels;
    }

    /// <summary>Laid out for <see cref="AssembledTile"/>.</summary>
    public bool Assembled { get; }

    public int Groups { get; }

    public int Outputs { get; }

    public int Inputs { get; }

    public Tensor ForwardPanels { get; }

    public Tensor BackwardPanels { get; }
}
