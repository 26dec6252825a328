namespace Lingotto.Compute;

/// <summary>
/// The micro-kernel over words: c[i, j] (+)= sum_p a_i[p] b[p, j] for any number of rows and one panel of up to
/// <see cref="AssembledTile.Columns"/> columns. Operands are 32-bit words along the summed dimension; see <see cref="IWord"/>.
/// </summary>
internal unsafe interface IWordKernel
{
    /// <param name="arguments">
    /// Everything but the mask. Row pointers are valid up to whole tiles of <see cref="AssembledTile.Rows"/>.
    /// </param>
    /// <param name="product">The kind of words.</param>
    /// <param name="columns">Columns to store, 1 to 64; whole registers of the panel are read.</param>
    /// <param name="step"><see cref="AssembledTile.RowStep"/> or <see cref="AssembledTile.PackedStep"/>.</param>
    static abstract void Multiply(ref TileArguments arguments, TileProduct product, int columns, int step);
}
