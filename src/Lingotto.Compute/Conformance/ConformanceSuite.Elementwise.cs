namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    /// <summary>Sizes around the 16,384 elements that a tile of the elementwise kernels has.</summary>
    private static readonly int[] s_flatLengths = [.. s_lengths, 16384, 16411, 33000];

    private static IEnumerable<OpCase> Elementwise()
    {
        foreach (int n in s_flatLengths)
        {
            yield return new("fill", $"{n}") { Tensors = [Out("x", n)], Forward = t => t.Device.Fill(t["x"], 1.25f) };
            yield return new("copy", $"{n}") { Tensors = [In("x", n), Out("y", n)], Forward = t => t.Device.Copy(t["x"], t["y"]) };
            yield return new("add", $"{n}") { Tensors = [In("x", n), Changed("y", n)], Forward = t => t.Device.Add(t["x"], t["y"]) };
            yield return new("sum", $"{n}")
            {
                Tensors = [In("x", n), Out("result", 1)],
                Forward = t => t.Device.Sum(t["x"], t["result"]),
                IsProduct = true,
            };
            yield return new("sum_of_squares", $"{n}")
            {
                Tensors = [In("x", n), Out("result", 1)],
                Forward = t => t.Device.SumOfSquares(t["x"], t["result"]),
                IsProduct = true,
            };
        }

        foreach ((int rows, int columns) in RowSizes())
        {
            yield return ScaleColumns(rows, columns);
            yield return ScaleColumnsInPlace(rows, columns);
            yield return SwiGlu(rows, columns);
            yield return SwiGluInPlace(rows, columns);
            yield return Embedding(rows, columns);
        }

        foreach (int columns in s_edges)
        {
            yield return StoredInBf16(SwiGlu(3, columns), "y", "gradGateUp");
        }
    }

    /// <summary>Rows and columns for operations that work on rows.</summary>
    private static IEnumerable<(int Rows, int Columns)> RowSizes() =>
        [.. s_lengths.Select(columns => (3, columns)), .. s_edges.Select(rows => (rows, 5)), (1, 1), (1, 513), (65, 33), (131, 20),
            (2, 1031)];

    private static OpCase ScaleColumns(int rows, int columns) => new("scale_columns", $"{rows} x {columns}")
    {
        Tensors = [In("x", rows, columns), In("scale", columns), Out("y", rows, columns)],
        Forward = t => t.Device.ScaleColumns(t["x"], t["scale"], t["y"]),
    };

    private static OpCase ScaleColumnsInPlace(int rows, int columns) => new("scale_columns in place", $"{rows} x {columns}")
    {
        Tensors = [Changed("x", rows, columns), In("scale", columns)],
        Forward = t => t.Device.ScaleColumns(t["x"], t["scale"], t["x"]),
    };

    private static OpCase SwiGlu(int rows, int width) => new("swiglu", $"{rows} x {width}")
    {
        Tensors =
        [
            In("gateUp", rows, 2 * width) with { Deviation = 3 }, Out("y", rows, width), In("gradY", rows, width),
            Out("gradGateUp", rows, 2 * width),
        ],
        Forward = t => t.Device.SwiGluForward(t["gateUp"], t["y"]),
        Backward = t => t.Device.SwiGluBackward(t["gradY"], t["gateUp"], t["gradGateUp"]),
        Projection = [("y", "gradY")],
        Gradients = [("gateUp", "gradGateUp")],
        ForwardRow = (t, r) => t.Device.SwiGluForward(t["gateUp"].Slice(r, 1), t["y"].Slice(r, 1)),
        Rows = rows,
    };

    /// <summary>The gradient may take the place of its input.</summary>
    private static OpCase SwiGluInPlace(int rows, int width) => new("swiglu in place", $"{rows} x {width}")
    {
        Tensors = [Changed("gateUp", rows, 2 * width) with { Deviation = 30 }, Out("y", rows, width), In("gradY", rows, width)],
        Forward = t => t.Device.SwiGluForward(t["gateUp"], t["y"]),
        Backward = t => t.Device.SwiGluBackward(t["gradY"], t["gateUp"], t["gateUp"]),
    };

    /// <summary>Seven entries, so that most are met several times and must add up.</summary>
    private static OpCase Embedding(int tokens, int columns) => new("embedding", $"{tokens} x {columns}")
    {
        Tensors =
        [
            Ints("ids", Scattered(tokens, 7)), In("table", 7, columns), Out("y", tokens, columns), In("gradY", tokens, columns),
            Changed("gradTable", 7, columns),
        ],
        Forward = t => t.Device.EmbeddingForward(t["ids"], t["table"], t["y"]),
        Backward = t => t.Device.EmbeddingBackward(t["ids"], t["gradY"], t["gradTable"]),
        Projection = [("y", "gradY")],
        Gradients = [("table", "gradTable")],
    };
}
