namespace Lingotto.Compute;

/// <summary>Fills the float panels of a prepared weight, one task per expert and panel.</summary>
internal readonly unsafe struct PackWeight(
    float* weight, float* forward, float* backward, int groups, int outputs, int inputs, int width, bool rounded) : IRangeKernel
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
                float* to = forward + ((nint)group * ForwardCount + panel) * inputs * width;
                Panels.FromColumns(w + (nint)first * inputs, inputs, inputs, Math.Min(width, outputs - first), width, to);
                Round<V, O>(to, inputs * width);
            }
            else
            {
                int first = (panel - ForwardCount) * width;
                float* to = backward + ((nint)group * BackwardCount + panel - ForwardCount) * outputs * width;
                Panels.FromRows<V, O>(w + first, inputs, outputs, Math.Min(width, inputs - first), to);
                Round<V, O>(to, outputs * width);
            }
        }
    }

    private void Round<V, O>(float* panel, int length)
        where V : struct
        where O : ILanes<V>
    {
        for (int i = 0; rounded && i < length; i += O.Count)
        {
            O.Store(O.RoundToBf16(O.Load(panel + i)), panel + i);
        }
    }
}
