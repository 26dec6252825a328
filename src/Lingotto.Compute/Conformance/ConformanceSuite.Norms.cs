namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    private const float Epsilon = 1e-6f;

    private static IEnumerable<OpCase> Norms()
    {
        foreach ((int rows, int columns) in RowSizes())
        {
            yield return RmsNorm(rows, columns);
            yield return RmsNormInPlace(rows, columns);
        }

        foreach (int columns in s_edges)
        {
            yield return StoredInBf16(RmsNorm(3, columns), "y");
        }

        foreach (int channels in s_edges)
        {
            yield return QkNorm(3, new AttentionShape(4, 2, channels, 3));
        }

        foreach (int tokens in s_edges)
        {
            yield return QkNorm(tokens, new AttentionShape(3, 1, 5, tokens));
            yield return QkNormInPlace(tokens, new AttentionShape(2, 2, 9, tokens));
        }
    }

    /// <summary>A row of one element is +-1 whatever it was: its gradient is epsilon's alone, so epsilon must not be small.</summary>
    private static OpCase RmsNorm(int rows, int columns) => RmsNorm(rows, columns, columns == 1 ? 0.5f : Epsilon);

    private static OpCase RmsNorm(int rows, int columns, float epsilon) => new("rms_norm", $"{rows} x {columns}")
    {
        Tensors =
        [
            In("x", rows, columns), In("weight", columns) with { Mean = 1, Deviation = 0.5 }, Out("y", rows, columns), Out("rstd", rows),
            In("gradY", rows, columns), Out("gradX", rows, columns), Changed("gradWeight", columns),
        ],
        Forward = t => t.Device.RmsNormForward(t["x"], t["weight"], epsilon, t["y"], t["rstd"]),
        Backward = t => t.Device.RmsNormBackward(t["gradY"], t["x"], t["weight"], t["rstd"], t["gradX"], t["gradWeight"]),
        Projection = [("y", "gradY")],
        Gradients = [("x", "gradX"), ("weight", "gradWeight")],
        ForwardRow = (t, r) =>
            t.Device.RmsNormForward(t["x"].Slice(r, 1), t["weight"], epsilon, t["y"].Slice(r, 1), t["rstd"].Slice(r, 1)),
        Rows = rows,
    };

    private static OpCase RmsNormInPlace(int rows, int columns) => new("rms_norm in place", $"{rows} x {columns}")
    {
        Tensors =
        [
            In("x", rows, columns), In("weight", columns), Out("y", rows, columns), Out("rstd", rows), Changed("gradY", rows, columns),
            Changed("gradWeight", columns),
        ],
        Forward = t => t.Device.RmsNormForward(t["x"], t["weight"], 0.5f, t["y"], t["rstd"]),
        Backward = t => t.Device.RmsNormBackward(t["gradY"], t["x"], t["weight"], t["rstd"], t["gradY"], t["gradWeight"]),
    };

    private static OpCase QkNorm(int tokens, AttentionShape shape) => new("qk_norm", $"{tokens} x {Heads(shape)}")
    {
        Tensors = [.. QkNormTensors(tokens, shape), In("gradY", Fused(tokens, shape)), Out("gradX", Fused(tokens, shape))],
        Forward = t => t.Device.QkNormForward(t["x"], t["queryWeight"], t["keyWeight"], Epsilon, shape, t["y"], t["rstd"]),
        Backward = t => t.Device.QkNormBackward(
            t["gradY"], t["x"], t["queryWeight"], t["keyWeight"], shape, t["rstd"], t["gradX"], t["gradQueryWeight"], t["gradKeyWeight"]),
        Projection = [("y", "gradY")],
        Gradients = [("x", "gradX"), ("queryWeight", "gradQueryWeight"), ("keyWeight", "gradKeyWeight")],
    };

    private static OpCase QkNormInPlace(int tokens, AttentionShape shape) => new("qk_norm in place", $"{tokens} x {Heads(shape)}")
    {
        Tensors = [.. QkNormTensors(tokens, shape), Changed("gradY", Fused(tokens, shape))],
        Forward = t => t.Device.QkNormForward(t["x"], t["queryWeight"], t["keyWeight"], Epsilon, shape, t["y"], t["rstd"]),
        Backward = t => t.Device.QkNormBackward(
            t["gradY"], t["x"], t["queryWeight"], t["keyWeight"], shape, t["rstd"], t["gradY"], t["gradQueryWeight"], t["gradKeyWeight"]),
    };

    private static OpTensor[] QkNormTensors(int tokens, AttentionShape shape) =>
    [
        In("x", Fused(tokens, shape)), In("queryWeight", shape.HeadDim) with { Mean = 1 }, In("keyWeight", shape.HeadDim) with { Mean = 1 },
        Out("y", Fused(tokens, shape)), Out("rstd", tokens, shape.NumHeads + shape.NumKeyValueHeads),
        Changed("gradQueryWeight", shape.HeadDim), Changed("gradKeyWeight", shape.HeadDim),
    ];

    private static int[] Fused(int tokens, AttentionShape shape) => [tokens, shape.FusedHeads, shape.HeadDim];

    private static string Heads(AttentionShape shape) => $"({shape.NumHeads} + 2 * {shape.NumKeyValueHeads}) x {shape.HeadDim}";
}
