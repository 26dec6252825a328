namespace Lingotto.Compute;

/// <summary>
/// A micro-kernel and the layout of its operands. The row matmul, the weight gradient and the packing of weights are written
/// once over it; the JIT compiles them for each tile.
/// </summary>
/// <remarks>
/// Operands are 32-bit words along the summed dimension: one float, or a pair in bfloat16. A panel holds the right operand:
/// panel[p][j] is word p of column j. The left operand is a pointer for each row, to words one after another (a row read in
/// place) or to words a group apart (a packed operand: groups of columns, word by word).
/// </remarks>
internal unsafe interface ITile
{
    /// <summary>Elements along the summed dimension in a word.</summary>
    static abstract int Elements { get; }

    /// <summary>Row pointers are valid up to a multiple of this many rows.</summary>
    static abstract int Rows { get; }

    /// <summary>Rows of a task of a row matmul at most: their words of one pass and a panel share a second-level cache.</summary>
    static abstract int RowBlock { get; }

    /// <summary>Outputs of a task of a weight gradient at most.</summary>
    static abstract int OutputBlock { get; }

    /// <summary>Outputs of a task are a multiple of this, but for the last task.</summary>
    static abstract int OutputGranule { get; }

    /// <summary>Columns of the widest panel.</summary>
    static abstract int MaxPanelColumns { get; }

    /// <summary>Columns of a panel at a vector width.</summary>
    static abstract int PanelColumns(Isa isa);

    /// <inheritdoc cref="PanelColumns(Isa)"/>
    static abstract int PanelColumns<V, O>()
        where V : struct
        where O : ILanes<V>;

    /// <summary>Rows of one call of <see cref="Multiply"/> at most.</summary>
    static abstract int RowsPerCall<V, O>()
        where V : struct
        where O : ILanes<V>;

    /// <summary>Columns of a group of a packed left operand.</summary>
    static abstract int GroupColumns<V, O>()
        where V : struct
        where O : ILanes<V>;

    /// <summary>Words that hold a number of elements.</summary>
    static abstract int Words(int elements);

    /// <summary>True where a row of <typeparamref name="E"/> is a row of words as stored.</summary>
    static abstract bool IsRowOf<E>()
        where E : struct, IElement;

    /// <summary>The words of a row, one after another.</summary>
    static abstract void CopyRow<V, O, E>(void* row, int depth, uint* destination)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement;

    /// <summary>
    /// A packed left operand whose sum runs over rows: word p of column j of the rows is packed[j / G][p][j % G], G columns a group.
    /// </summary>
    /// <param name="rows">A pointer for each row.</param>
    /// <param name="count">Rows.</param>
    /// <param name="columns">Columns, at most <see cref="OutputBlock"/>.</param>
    /// <param name="packed">The words.</param>
    /// <param name="staging">Room of a panel of the largest pass, free until the panel is packed.</param>
    static abstract void PackColumns<V, O, E>(byte** rows, int count, int columns, uint* packed, uint* staging)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement;

    /// <summary>A panel whose sum runs over rows; columns that do not exist are 0.</summary>
    static abstract void PackPanel<V, O, E>(byte** rows, int count, int columns, uint* panel)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement;

    /// <summary>
    /// A panel of a weight for forward: w [outputs, inputs], at most a panel's columns of outputs, summed over inputs.
    /// </summary>
    static abstract void PackForward<V, O, E>(float* w, int outputs, int inputs, uint* panel)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement;

    /// <summary>
    /// The lines that w [outputs, inputs] is in every panel for dgrad, summed over outputs. Panels are
    /// <paramref name="panelWords"/> words apart.
    /// </summary>
    static abstract void PackBackward<V, O, E>(float* w, int outputs, int inputs, uint* panels, nint panelWords)
        where V : struct
        where O : ILanes<V>
        where E : struct, IElement;

    /// <summary>c[i, j] (+)= sum_p a_i[p] panel[p][j].</summary>
    /// <param name="a">Row pointers.</param>
    /// <param name="packed">Whether words of a row are a group apart.</param>
    /// <param name="panel">The right operand.</param>
    /// <param name="words">Words to sum over.</param>
    /// <param name="c">First row of the result.</param>
    /// <param name="cStep">Floats between rows of the result.</param>
    /// <param name="rows">Rows of the result, at most <see cref="RowsPerCall"/>.</param>
    /// <param name="columns">Columns of the result, at most a panel's.</param>
    /// <param name="accumulate">Add to what c holds.</param>
    static abstract void Multiply<V, O>(
        byte** a, bool packed, uint* panel, int words, float* c, nint cStep, int rows, int columns, bool accumulate)
        where V : struct
        where O : ILanes<V>;
}
