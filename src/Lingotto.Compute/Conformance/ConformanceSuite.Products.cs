namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    private static IEnumerable<OpCase> Products()
    {
        // The last ones reach past the kernels' blocks of 128 rows, 192 outputs and 512 inputs.
        IEnumerable<(int Tokens, int Outputs, int Inputs)> sizes =
        [
            .. s_edges.Select(tokens => (tokens, 5, 7)), .. s_edges.Select(outputs => (3, outputs, 5)),
            .. s_edges.Select(inputs => (3, 5, inputs)), (1, 1, 1), (9, 49, 17), (17, 100, 33), (131, 50, 20), (260, 7, 49), (5, 263, 9),
            (3, 20, 521), (1, 97, 1031),
        ];
        foreach ((int tokens, int outputs, int inputs) in sizes)
        {
            yield return MatMul(tokens, outputs, inputs, accumulate: false, Operands.F32);
            yield return MatMul(tokens, outputs, inputs, accumulate: true, Operands.F32);
            yield return MatMul(tokens, outputs, inputs, accumulate: true, Operands.Bf16);
            yield return MatMul(tokens, outputs, inputs, accumulate: false, Operands.RoundedToBf16);
        }

        // Past the blocks of the bfloat16 kernels (192 and 768 rows, split evenly, and 512 outputs), and the mixed operands that a
        // network has.
        foreach ((int tokens, int outputs, int inputs) in ((int, int, int)[])
            [(5, 7, 9), (530, 6, 4), (1535, 3, 4), (1537, 2, 3), (3, 530, 34), (70, 66, 130)])
        {
            yield return MatMul(tokens, outputs, inputs, accumulate: false, Operands.Bf16);
            yield return MatMul(tokens, outputs, inputs, accumulate: false, Operands.Bf16Input);
            yield return MatMul(tokens, outputs, inputs, accumulate: false, Operands.Bf16InputOfF32Product);
        }
    }

    /// <summary>
    /// A dense MLP's two matmuls with SwiGLU. The last sizes: rows of several tasks, and a row alone whose panels are shared among them.
    /// </summary>
    private static IEnumerable<OpCase> ActivatedProducts()
    {
        foreach ((int tokens, int width, int hidden) in ((int, int, int)[])[(1, 1, 1), (3, 17, 5), (7, 33, 64), (400, 40, 9), (1, 200, 70)])
        {
            yield return Activated(tokens, width, hidden, Operands.F32);
            yield return StoredInBf16(Activated(tokens, width, hidden, Operands.Bf16), "y", "gradZ");
        }
    }

    private static OpCase Activated(int tokens, int width, int hidden, Operands operands) =>
        new("matmul_swiglu", $"{tokens} x {width} x {hidden}")
        {
            Tensors =
            [
                operands.Input("x", operands.X, tokens, hidden), operands.Prepared("gateUp", 2 * width, hidden),
                operands.Prepared("down", hidden, width),
                Out("z", tokens, 2 * width), Out("y", tokens, width), operands.Input("gradY", operands.GradY, tokens, hidden),
                Out("gradHidden", tokens, width), Out("gradZ", tokens, 2 * width),
            ],
            Forward = t => t.Device.MatMulSwiGluForward(t["x"], default, t.Prepared("gateUp"), t["z"], t["y"]),
            Backward = t => t.Device.MatMulSwiGluBackward(t["gradY"], default, t.Prepared("down"), t["z"], t["gradHidden"], t["gradZ"]),
            ForwardRow = (t, r) => t.Device.MatMulSwiGluForward(
                t["x"].Slice(r, 1), default, t.Prepared("gateUp"), t["z"].Slice(r, 1), t["y"].Slice(r, 1)),
            Rows = tokens,
        };

    /// <summary>How the operands of a matmul are stored, and its precision.</summary>
    private sealed record Operands(string Name, DType X, DType GradY, DType Precision)
    {
        public static readonly Operands F32 = new("", DType.F32, DType.F32, DType.F32);

        public static readonly Operands Bf16 = new(" in bf16", DType.BF16, DType.BF16, DType.BF16);

        public static readonly Operands RoundedToBf16 = new(" in bf16 of f32", DType.F32, DType.F32, DType.BF16);

        /// <summary>The residual stream's gradient is F32.</summary>
        public static readonly Operands Bf16Input = new(" in bf16, gradient in f32", DType.BF16, DType.F32, DType.BF16);

        /// <summary>The router.</summary>
        public static readonly Operands Bf16InputOfF32Product = new(" in f32 of bf16", DType.BF16, DType.F32, DType.F32);

        public OpTensor Input(string name, DType dtype, params int[] shape) =>
            new(name, OpRole.Input, dtype, shape) { Rounded = Precision == DType.BF16 };

        public OpTensor Prepared(string name, params int[] shape) =>
            new(name, OpRole.Weight, DType.F32, shape) { Rounded = Precision == DType.BF16, Precision = Precision };
    }

    private static OpCase MatMul(int tokens, int outputs, int inputs, bool accumulate, Operands operands) => new(
        (accumulate ? "matmul accumulating" : "matmul") + operands.Name, $"{tokens} x {outputs} x {inputs}")
    {
        Tensors =
        [
            operands.Input("x", operands.X, tokens, inputs), operands.Prepared("w", outputs, inputs),
            Result("y", accumulate, tokens, outputs), operands.Input("gradY", operands.GradY, tokens, outputs),
            Result("gradX", accumulate, tokens, inputs), Changed("gradW", outputs, inputs),
        ],
        Forward = t => t.Device.MatMulForward(t["x"], t.Prepared("w"), t["y"], accumulate),
        Backward = t =>
        {
            t.Device.MatMulBackwardInput(t["gradY"], t.Prepared("w"), t["gradX"], accumulate);
            t.Device.MatMulBackwardWeight(t["gradY"], t["x"], t.Prepared("w"), t["gradW"]);
        },
        Projection = [("y", "gradY")],
        Gradients = [("x", "gradX"), ("w", "gradW")],
        ForwardRow = (t, r) => t.Device.MatMulForward(t["x"].Slice(r, 1), t.Prepared("w"), t["y"].Slice(r, 1), accumulate),
        Rows = tokens,
        IsProduct = true,
    };

    private static OpTensor Result(string name, bool accumulate, params int[] shape) =>
        accumulate ? Changed(name, shape) : Out(name, shape);
}
