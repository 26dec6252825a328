namespace Lingotto.Compute;

/// <summary>Tile sizes and the small matmuls shared by the forward and backward pass of attention.</summary>
internal static unsafe class AttentionTiles
{
    /// <summary>Query rows of a tile.</summary>
    public const int Queries = 64;

    /// <summary>Keys of a tile: a multiple of the panel width at 512 (48), 256 (24) and 128 bits (12).</summary>
    public const int Keys = 96;

    /// <summary>Copies rows of one head into a dense tile [rows, C].</summary>
    public static void Gather(float* head, nint step, int rows, int channels, float* tile)
    {
        for (int r = 0; r < rows; r++)
        {
            new ReadOnlySpan<float>(head + r * step, channels).CopyTo(new Span<float>(tile + (nint)r * channels, channels));
        }
    }

    /// <summary>Panels of the transpose of <paramref name="rows"/> rows, so that a matmul with them gives one column a row.</summary>
    public static void Transpose<V, O>(float* head, nint step, int rows, int channels, int width, float* panels)
        where V : struct
        where O : ILanes<V>
    {
        for (int first = 0; first < rows; first += width)
        {
            Panels.FromColumns<V, O>(
                head + first * step, step, channels, Math.Min(width, rows - first), width, panels + (nint)first * channels);
        }
    }

    /// <summary>
    /// c[i,j] = sum_p a[i,p] * panels[p,j], a dense with <paramref name="aStep"/> floats a row, c with Keys floats a row.
    /// </summary>
    public static void ByPanels<V, O>(float* a, nint aStep, int rows, float* panels, int columns, int depth, float* c)
        where V : struct
        where O : ILanes<V>
    {
        int tileRows = RegisterTile.Rows<V, O>(), width = RegisterTile.PanelVectors * O.Count;
        float** pointers = stackalloc float*[8];
        for (int j = 0; j < columns; j += width)
        {
            for (int i = 0; i < rows; i += tileRows)
            {
                for (int r = 0; r < 8; r++)
                {
                    pointers[r] = a + Math.Min(i + r, rows - 1) * aStep;
                }

                RegisterTile.Multiply<V, O>(
                    pointers, 1, panels + (nint)j * depth, width, depth, c + i * Keys + j, Keys, Math.Min(tileRows, rows - i), width,
                    accumulate: false);
            }
        }
    }

    /// <summary>
    /// c[i,j] += sum_p a_i[p * aDepthStep] * b[p,j], a_i = a + i * aRowStep: a row step and a depth step of (Keys, 1) read
    /// a, of (1, Keys) its transpose. b has <paramref name="bStep"/> floats a row, c <paramref name="cStep"/>.
    /// </summary>
    public static void Accumulate<V, O>(
        float* a, nint aRowStep, nint aDepthStep, int rows, float* b, nint bStep, int columns, int depth, float* c, nint cStep)
        where V : struct
        where O : ILanes<V>
    {
        int tileRows = RegisterTile.Rows<V, O>();

        // Two registers a tile: heads of 64 and 128 channels divide by 32, not by 48.
        int width = Math.Min(columns, 2 * O.Count);
        float** pointers = stackalloc float*[8];
        for (int i = 0; i < rows; i += tileRows)
        {
            for (int r = 0; r < 8; r++)
            {
                pointers[r] = a + Math.Min(i + r, rows - 1) * aRowStep;
            }

            for (int j = 0; j < columns; j += width)
            {
                RegisterTile.Multiply<V, O>(
                    pointers, aDepthStep, b + j, bStep, depth, c + i * cStep + j, cStep, Math.Min(tileRows, rows - i),
                    Math.Min(width, columns - j), accumulate: true);
            }
        }
    }
}
