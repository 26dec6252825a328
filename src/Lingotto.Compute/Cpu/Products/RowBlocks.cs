namespace Lingotto.Compute;

/// <summary>The rows of every group cut into blocks, the last block of a group ragged: the unit of work of a grouped matmul.</summary>
/// <param name="offsets">First row of each group and the end, or null for one group of all rows.</param>
/// <param name="rows">All rows.</param>
/// <param name="groups">Groups.</param>
/// <param name="size">Rows of a block.</param>
internal readonly unsafe struct RowBlocks(int* offsets, int rows, int groups, int size)
{
    /// <summary>
    /// Rows of a block, a multiple of <paramref name="tile"/> and at most <paramref name="largest"/>: where one group is shared by
    /// several workers, such that each gets the same number of blocks.
    /// </summary>
    public static int SizeFor(int rows, int groups, int largest, int tile, int workers)
    {
        rows = Math.Max(1, rows);
        int blocks = (rows + largest * workers - 1) / (largest * workers) * workers, share = (rows + blocks - 1) / blocks;
        return groups > 1 ? largest : Math.Clamp((share + tile - 1) / tile * tile, tile, largest);
    }

    /// <summary>Upper bound of the number of blocks: every group may end in a ragged one.</summary>
    public int Bound => rows / size + groups;

    /// <summary>The rows of block <paramref name="block"/>; false after the last block.</summary>
    public bool Locate(int block, out int group, out int firstRow, out int count)
    {
        for (group = 0; group < groups; group++)
        {
            int start = offsets is null ? 0 : offsets[group], stop = offsets is null ? rows : offsets[group + 1];
            int blocks = (stop - start + size - 1) / size;
            if (block < blocks)
            {
                firstRow = start + block * size;
                count = Math.Min(size, stop - firstRow);
                return true;
            }

            block -= blocks;
        }

        firstRow = count = 0;
        return false;
    }

    /// <summary>Panels of a task: all of them, or fewer where the blocks alone give fewer than four tasks a worker.</summary>
    public int PanelsPerTask(int panels, int workers)
    {
        int wanted = Math.Max(1, 4 * workers / Math.Max(groups, (rows + size - 1) / size));
        return Math.Max(1, (panels + wanted - 1) / wanted);
    }
}
