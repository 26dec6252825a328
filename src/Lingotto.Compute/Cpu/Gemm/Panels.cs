namespace Lingotto.Compute;

/// <summary>
/// The right operand of a product, laid out so that the inner loop reads it front to back: panels[p][d][j] =
/// b[d, p * width + j], zero where the column does not exist. Width is three registers.
/// </summary>
internal static unsafe class Panels
{
    public static int Width(Isa isa) => Tile.PanelVectors * (isa == Isa.Avx512 ? 16 : isa == Isa.Avx2 ? 8 : 4);

    /// <summary>Floats of a panelled operand of <paramref name="depth"/> x <paramref name="columns"/>.</summary>
    public static long Length(Isa isa, int depth, int columns)
    {
        int width = Width(isa);
        return (long)((columns + width - 1) / width) * width * depth;
    }

    /// <summary>Panels of b[d, j] = source[d * step + j]: rows are copied.</summary>
    public static void FromRows(float* source, nint step, int depth, int columns, int width, float* panel)
    {
        for (int d = 0; d < depth; d++)
        {
            Row(source + d * step, columns, width, panel + (nint)d * width);
        }
    }

    /// <summary>One row of one panel.</summary>
    public static void Row(float* source, int columns, int width, float* destination)
    {
        new ReadOnlySpan<float>(source, columns).CopyTo(new Span<float>(destination, width));
        if (columns < width)
        {
            new Span<float>(destination + columns, width - columns).Clear();
        }
    }

    /// <summary>A panel of b[d, j] = source[j * step + d]: columns are rows of the source, so the block is transposed.</summary>
    public static void FromColumns(float* source, nint step, int depth, int columns, int width, float* panel)
    {
        const int Block = 64;
        for (int d0 = 0; d0 < depth; d0 += Block)
        {
            int blockDepth = Math.Min(Block, depth - d0);
            for (int j = 0; j < width; j++)
            {
                float* to = panel + (nint)d0 * width + j;
                if (j < columns)
                {
                    float* from = source + j * step + d0;
                    for (int d = 0; d < blockDepth; d++)
                    {
                        to[d * width] = from[d];
                    }
                }
                else
                {
                    for (int d = 0; d < blockDepth; d++)
                    {
                        to[d * width] = 0f;
                    }
                }
            }
        }
    }
}

/// <summary>Panels of a weight for forward (depth K, columns N) and, where it is trained, for dgrad (depth N, columns K).</summary>
internal sealed unsafe class CpuPreparedWeight : PreparedWeight
{
    public CpuPreparedWeight(Tensor weight, Tensor forwardPanels, Tensor backwardPanels)
        : base(weight)
    {
        Groups = weight.Rank == 3 ? weight[0] : 1;
        Outputs = weight[-2];
        Inputs = weight[-1];
        ForwardPanels = forwardPanels;
        BackwardPanels = backwardPanels;
    }

    public int Groups { get; }

    public int Outputs { get; }

    public int Inputs { get; }

    public Tensor ForwardPanels { get; }

    public Tensor BackwardPanels { get; }
}

/// <summary>Fills the panels of a prepared weight, one task per expert and panel.</summary>
internal readonly unsafe struct PackWeight(
    float* weight, float* forward, float* backward, int groups, int outputs, int inputs, int width) : IRangeKernel
{
    public int Tasks => groups * (ForwardCount + BackwardCount);

    private int ForwardCount => (outputs + width - 1) / width;

    private int BackwardCount => backward is null ? 0 : (inputs + width - 1) / width;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int group = task / (ForwardCount + BackwardCount), panel = task % (ForwardCount + BackwardCount);
            float* w = weight + (nint)group * outputs * inputs;
            if (panel < ForwardCount)
            {
                int first = panel * width;
                Panels.FromColumns(
                    w + (nint)first * inputs, inputs, inputs, Math.Min(width, outputs - first), width,
                    forward + ((nint)group * ForwardCount + panel) * inputs * width);
            }
            else
            {
                int first = (panel - ForwardCount) * width;
                Panels.FromRows(
                    w + first, inputs, outputs, Math.Min(width, inputs - first), width,
                    backward + ((nint)group * BackwardCount + panel - ForwardCount) * outputs * width);
            }
        }
    }
}
