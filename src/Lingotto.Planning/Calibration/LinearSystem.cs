namespace Lingotto.Planning;

/// <summary>Solves small dense linear systems by elimination with partial pivoting.</summary>
internal static class LinearSystem
{
    /// <summary>Solves A x = b; <paramref name="matrix"/> is A with b as its last column and is overwritten.</summary>
    public static double[] Solve(double[,] matrix)
    {
        int size = matrix.GetLength(0);
        for (int column = 0; column < size; column++)
        {
            int pivot = column;
            for (int row = column + 1; row < size; row++)
            {
                pivot = Math.Abs(matrix[row, column]) > Math.Abs(matrix[pivot, column]) ? row : pivot;
            }

            for (int k = column; k <= size; k++)
            {
                (matrix[column, k], matrix[pivot, k]) = (matrix[pivot, k], matrix[column, k]);
            }

            for (int row = column + 1; row < size; row++)
            {
                double factor = matrix[row, column] / matrix[column, column];
                for (int k = column; k <= size; k++)
                {
                    matrix[row, k] -= factor * matrix[column, k];
                }
            }
        }

        var solution = new double[size];
        for (int row = size - 1; row >= 0; row--)
        {
            double sum = matrix[row, size];
            for (int k = row + 1; k < size; k++)
            {
                sum -= matrix[row, k] * solution[k];
            }

            solution[row] = sum / matrix[row, row];
        }

        return solution;
    }
}
