namespace Lingotto.Compute;

/// <summary>
/// In which order the groups of a weight gradient are worked on: the largest first, so that no worker is left alone with a
/// crowded expert at the end. The order moves no bit of a result.
/// </summary>
internal static unsafe class GroupOrder
{
    /// <summary>Fills order[0, groups) by insertion: experts are few and often nearly sorted.</summary>
    public static void LargestFirst(int* offsets, int groups, int* order)
    {
        for (int group = 0; group < groups; group++)
        {
            int size = Size(offsets, group), at = group;
            for (; at > 0 && Size(offsets, order[at - 1]) < size; at--)
            {
                order[at] = order[at - 1];
            }

            order[at] = group;
        }
    }

    private static int Size(int* offsets, int group) => offsets is null ? 0 : offsets[group + 1] - offsets[group];
}
