namespace Lingotto.Compute;

/// <summary>
/// The rows of a group cut into as few passes as the scratch allows, evenly: the gradient of a weight is read and written once
/// a pass, and a ragged rest would cost as much of that as a whole pass. Where one ends is a function of the rows alone.
/// </summary>
/// <param name="rows">Rows of the group.</param>
/// <param name="largest">Rows of a pass at most.</param>
internal readonly struct RowPasses(int rows, int largest)
{
    /// <summary>Rounding a pass to even rows may make it two rows longer than its share.</summary>
    public int Count => (rows + largest - 3) / (largest - 2);

    /// <summary>
    /// Where a pass begins: even, so that only the last one can have a row without a partner. Pass Count begins at the end.
    /// </summary>
    public int Start(int pass) => pass == Count ? rows : (int)((long)rows * pass / Count) & ~1;
}
