namespace Lingotto.Cli;

/// <summary>A curve in braille: every character is 2 x 4 dots.</summary>
internal static class BrailleChart
{
    private const char Empty = '\u2800';

    // The bits of a braille character, [row][column] from the top left.
    private static readonly int[][] s_dots = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

    /// <summary>The curve stretched over the whole width, top line first.</summary>
    public static string[] Draw(IReadOnlyList<double> points, int width, int height)
    {
        var cells = new int[height, width];
        if (points.Count > 0)
        {
            Plot(points, cells);
        }
        return [.. Enumerable.Range(0, height).Select(y =>
            string.Concat(Enumerable.Range(0, width).Select(x => (char)(Empty + cells[y, x]))))];
    }

    private static void Plot(IReadOnlyList<double> points, int[,] cells)
    {
        int columns = 2 * cells.GetLength(1), rows = 4 * cells.GetLength(0);
        double least = points.Min(), range = Math.Max(points.Max() - least, 1e-9);
        int? before = null;
        for (int x = 0; x < columns; x++)
        {
            int row = (int)Math.Round((1 - ((Mean(points, x, columns) - least) / range)) * (rows - 1));
            (int from, int to) = (Math.Min(row, before ?? row), Math.Max(row, before ?? row));
            for (int y = from; y <= to; y++)
            {
                cells[y / 4, x / 2] |= s_dots[y % 4][x % 2];
            }
            before = row;
        }
    }

    /// <summary>The mean of the points that fall into a column; between two points where there are fewer of them than columns.</summary>
    private static double Mean(IReadOnlyList<double> points, int column, int columns)
    {
        if (points.Count < columns)
        {
            double at = (double)column * (points.Count - 1) / (columns - 1);
            int left = (int)at, right = Math.Min(left + 1, points.Count - 1);
            return points[left] + ((at - left) * (points[right] - points[left]));
        }

        int first = (int)((long)column * points.Count / columns), end = (int)((column + 1L) * points.Count / columns);
        double sum = 0;
        for (int i = first; i < end; i++)
        {
            sum += points[i];
        }
        return sum / (end - first);
    }
}
