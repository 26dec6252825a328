using System.Runtime.Intrinsics.X86;

namespace Lingotto.Compute;

/// <summary>
/// Fills the panels of words of a prepared weight. A task is 64 outputs of an expert: they are one panel for forward and 32
/// lines of pairs, or 64 of floats, of each panel for dgrad, so the weight is read from memory once.
/// </summary>
internal readonly unsafe struct AssembledPackWeight<W>(float* weight, uint* forward, uint* backward, int groups, int outputs, int inputs)
    : IRangeKernel
    where W : struct, IWord
{
    private const int Width = AssembledTile.Columns;

    public int Tasks => groups * Blocks;

    private int Blocks => AssembledTile.Panels(outputs);

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        nint forwardPanel = (nint)Words<W>.Count(inputs) * Width, backwardPanel = (nint)Words<W>.Count(outputs) * Width;
        int backwardPanels = AssembledTile.Panels(inputs);
        for (int task = begin; task < end; task++)
        {
            int group = task / Blocks, first = task % Blocks * Width, count = Math.Min(Width, outputs - first);
            float* w = weight + ((nint)group * outputs + first) * inputs;
            Words<W>.Transpose<F32Element>((byte*)w, inputs, count, inputs, forward + task * forwardPanel, streams: true);
            if (backward is not null)
            {
                Lines(w, count, backward + group * backwardPanels * backwardPanel + (nint)first / W.Elements * Width, backwardPanel);
            }
        }

        // Stores that bypass the caches are visible to the workers that read it next.
        Sse.StoreFence();
    }

    private void Lines(float* w, int count, uint* panels, nint panelWords)
    {
        for (int n = 0; n < count; n += W.Elements, panels += Width)
        {
            float* row0 = w + (nint)n * inputs, row1 = W.Elements == 2 && n + 1 < count ? row0 + inputs : null;
            uint* line = panels;
            for (int k = 0; k < inputs; k += Width, line += panelWords)
            {
                Words<W>.Line<F32Element>(
                    (byte*)(row0 + k), row1 is null ? null : (byte*)(row1 + k), inputs - k, Width, line, AssembledTile.Lanes);
            }
        }
    }
}
