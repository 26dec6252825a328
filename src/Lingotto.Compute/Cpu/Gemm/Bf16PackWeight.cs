namespace Lingotto.Compute;

/// <summary>Fills the panels of pairs of a prepared weight, one task per expert and panel.</summary>
internal readonly unsafe struct Bf16PackWeight(float* weight, uint* forward, uint* backward, int groups, int outputs, int inputs)
    : IRangeKernel
{
    private const int Width = Bf16Tile.Columns;

    public int Tasks => groups * (ForwardCount + BackwardCount);

    private int ForwardCount => (outputs + Width - 1) / Width;

    private int BackwardCount => backward is null ? 0 : (inputs + Width - 1) / Width;

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
                int first = panel * Width;
                Bf16Pairs.Transpose<F32Element>(
                    (byte*)(w + (nint)first * inputs), inputs, Math.Min(Width, outputs - first), inputs,
                    forward + ((nint)group * ForwardCount + panel) * Bf16Pairs.Count(inputs) * Width);
            }
            else
            {
                Columns(w, (panel - ForwardCount) * Width, backward + ((nint)group * BackwardCount + panel - ForwardCount) * Bf16Pairs.Count(outputs) * Width);
            }
        }
    }

    private void Columns(float* w, int first, uint* panel)
    {
        for (int n = 0; n < outputs; n += 2)
        {
            float* row0 = w + (nint)n * inputs + first, row1 = n + 1 < outputs ? row0 + inputs : null;
            Bf16Pairs.Interleave<F32Element>(row0, row1, inputs - first, Width, panel + (nint)n / 2 * Width, Bf16Tile.Lanes);
        }
    }
}
