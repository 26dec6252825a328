namespace Lingotto.Compute;

/// <summary>
/// Fills the panels of a prepared weight [groups, outputs, inputs]. A task is one panel's outputs of an expert: they are a
/// panel for forward and some lines of each panel for dgrad, so the weight is read from memory once.
/// </summary>
/// <param name="weight">The weight, read as <typeparamref name="E"/>.</param>
/// <param name="forward">Panels of outputs, summed over inputs.</param>
/// <param name="backward">Panels of inputs, summed over outputs; null where no gradient is asked for.</param>
/// <param name="groups">Experts.</param>
/// <param name="outputs">Outputs of an expert.</param>
/// <param name="inputs">Inputs of an expert.</param>
/// <param name="width">Columns of a panel.</param>
internal readonly unsafe struct PackWeight<TTile, E>(
    float* weight, uint* forward, uint* backward, int groups, int outputs, int inputs, int width) : IRangeKernel
    where TTile : struct, ITile
    where E : struct, IElement
{
    public int Tasks => groups * Blocks;

    private int Blocks => (outputs + width - 1) / width;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        // SAFETY: a task writes its own panel of forward and its own lines of backward; both have room for whole panels.
        nint forwardPanel = (nint)TTile.Words(inputs) * width, backwardPanel = (nint)TTile.Words(outputs) * width;
        int backwardPanels = (inputs + width - 1) / width;
        for (int task = begin; task < end; task++)
        {
            int group = task / Blocks, first = task % Blocks * width, count = Math.Min(width, outputs - first);
            float* w = weight + ((nint)group * outputs + first) * inputs;
            TTile.PackForward<V, O, E>(w, count, inputs, forward + task * forwardPanel);
            if (backward is not null)
            {
                uint* lines = backward + group * backwardPanels * backwardPanel + (nint)first / TTile.Elements * width;
                TTile.PackBackward<V, O, E>(w, count, inputs, lines, backwardPanel);
            }
        }
    }
}
