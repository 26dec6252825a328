namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    private static IEnumerable<OpCase> Products()
    {
        // The last ones reach past the kernels' blocks of 128 and 256 rows, 256 outputs and 512 inputs.
        IEnumerable<(int Tokens, int Outputs, int Inputs)> sizes =
        [
            .. s_edges.Select(tokens => (tokens, 5, 7)), .. s_edges.Select(outputs => (3, outputs, 5)),
            .. s_edges.Select(inputs => (3, 5, inputs)), (1, 1, 1), (9, 49, 17), (17, 100, 33), (131, 50, 20), (260, 7, 49), (5, 263, 9),
            (3, 20, 521), (1, 97, 1031),
        ];
        foreach ((int tokens, int outputs, int inputs) in sizes)
        {
            yield return MatMul(tokens, outputs, inputs, accumulate: false);
            yield return MatMul(tokens, outputs, inputs, accumulate: true);
        }
    }

    private static OpCase MatMul(int tokens, int outputs, int inputs, bool accumulate) => new(
        accumulate ? "matmul accumulating" : "matmul", $"{tokens} x {outputs} x {inputs}")
    {
        Tensors =
        [
            In("x", tokens, inputs), Weight("w", outputs, inputs), Result("y", accumulate, tokens, outputs), In("gradY", tokens, outputs),
            Result("gradX", accumulate, tokens, inputs), Changed("gradW", outputs, inputs),
        ],
        Forward = t => t.Device.MatMulForward(t["x"], t.Prepared("w"), t["y"], accumulate),
        Backward = t =>
        {
            t.Device.MatMulBackwardInput(t["gradY"], t.Prepared("w"), t["gradX"], accumulate);
            t.Device.MatMulBackwardWeight(t["gradY"], t["x"], t["gradW"]);
        },
        Projection = [("y", "gradY")],
        Gradients = [("x", "gradX"), ("w", "gradW")],
        ForwardRow = (t, r) => t.Device.MatMulForward(t["x"].Slice(r, 1), t.Prepared("w"), t["y"].Slice(r, 1), accumulate),
        Rows = tokens,
        IsProduct = true,
    };

    private static OpTensor Result(string name, bool accumulate, params int[] shape) => accumulate ? Changed(name, shape) : Out(name, shape);
}
