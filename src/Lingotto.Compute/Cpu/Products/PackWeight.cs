namespace Lingotto.Compute;

/// <summary>
/// Fills the float panels of a prepared weight. A task is one panel's outputs of an expert: they are a panel for forward and
/// some lines of each panel for dgrad, so the weight is read from memory once.
/// </summary>
internal readonly unsafe struct PackWeight(
    float* weight, float* forward, float* backward, int groups, int outputs, int inputs, int width, bool rounded) : IRangeKernel
{
    public int Tasks => groups * Blocks;

    private int Blocks => (outputs + width - 1) / width;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        int backwardPanels = (inputs + width - 1) / width;
        nint backwardPanel = (nint)outputs * width;
        for (int task = begin; task < end; task++)
        {
            int group = task / Blocks, first = task % Blocks * width, count = Math.Min(width, outputs - first);
            float* w = weight + ((nint)group * outputs + first) * inputs, panel = forward + (nint)task * inputs * width;
            Panels.FromColumns<V, O>(w, inputs, inputs, count, width, panel);
            Round<V, O>(panel, inputs * width);
            for (int p = 0; backward is not null && p < backwardPanels; p++)
            {
                float* lines = backward + ((nint)group * backwardPanels + p) * backwardPanel + (nint)first * width;
                Panels.FromRows<V, O>(w + p * width, inputs, count, Math.Min(width, inputs - p * width), lines);
                Round<V, O>(lines, count * width);
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
