namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    /// <summary>Which experts each token chose: the input of everything that follows the router.</summary>
    private sealed record Routes(string Name, int Tokens, int TopK, int Experts, int[] Ids)
    {
        public int Rows => Tokens * TopK;

        /// <summary>Choices in the order of their rows: by expert, then by token.</summary>
        private int[] ChoiceOfRow => [.. Enumerable.Range(0, Rows).OrderBy(choice => Ids[choice])];

        public int[] TokenOfRow => [.. ChoiceOfRow.Select(choice => choice / TopK)];

        public int[] RowOfChoice
        {
            get
            {
                var rows = new int[Rows];
                foreach ((int row, int choice) in ChoiceOfRow.Index())
                {
                    rows[choice] = row;
                }

                return rows;
            }
        }

        public int[] Offsets => [.. Enumerable.Range(0, Experts + 1).Select(e => Ids.Count(id => id < e))];

        /// <summary>[R, E + 1]: the offsets of a batch that holds only routed row r.</summary>
        public int[] OffsetsOfRowAlone =>
            [.. ChoiceOfRow.SelectMany(choice => Enumerable.Range(0, Experts + 1).Select(e => Ids[choice] < e ? 1 : 0))];
    }

    private static IEnumerable<Routes> AllRoutes()
    {
        foreach (int tokens in s_edges)
        {
            yield return Spread(tokens, 2, 5);
        }

        yield return Spread(1, 1, 1);
        yield return Spread(1, 1, 4);
        yield return Spread(3, 4, 4);
        yield return Spread(150, 3, 4);
        yield return new("all on one expert", 137, 1, 3, [.. Enumerable.Repeat(1, 137)]);
        yield return new("first and last only", 20, 2, 6, [.. Enumerable.Range(0, 40).Select(i => i % 2 * 5)]);
    }

    private static Routes Spread(int tokens, int topK, int experts)
    {
        int[] first = Scattered(tokens, experts, 5);
        return new($"{tokens} x {topK} of {experts}", tokens, topK, experts,
            [.. Enumerable.Range(0, tokens * topK).Select(i => (first[i / topK] + i % topK) % experts)]);
    }

    private static IEnumerable<OpCase> Experts()
    {
        foreach (Routes routes in AllRoutes())
        {
            yield return Plan(routes);
            yield return Grouped(routes, 7, 5, gather: true, Operands.F32);
            yield return Grouped(routes, 3, 9, gather: false, Operands.F32);
            yield return Grouped(routes, 7, 6, gather: true, Operands.Bf16);
            yield return Grouped(routes, 3, 9, gather: false, Operands.Bf16);
            yield return Activated(routes, 5, 7, Operands.F32);
            yield return StoredInBf16(Activated(routes, 6, 9, Operands.Bf16), "y", "gradZ");
            yield return Combine(routes, 9);
            yield return Dispatch(routes, 9);
        }

        foreach (int size in s_edges)
        {
            yield return Grouped(Spread(5, 2, 4), size, 5, gather: true, Operands.F32);
            yield return Grouped(Spread(5, 2, 4), 5, size, gather: true, Operands.F32);
            yield return Grouped(Spread(5, 2, 4), size, size, gather: true, Operands.Bf16);
            yield return Combine(Spread(5, 2, 4), size);
            yield return CombineInPlace(Spread(5, 2, 4), size);
            yield return StoredInBf16(Combine(Spread(5, 2, 4), size), "gradRows");
            yield return Dispatch(Spread(5, 2, 4), size);
        }
    }

    private static OpCase Plan(Routes routes) => new("dispatch_plan", routes.Name)
    {
        Tensors =
        [
            Ints("ids", routes.Ids, routes.Tokens, routes.TopK), OutInts("counts", routes.Experts),
            OutInts("offsets", routes.Experts + 1),
            OutInts("tokenOfRow", routes.Rows), OutInts("rowOfChoice", routes.Tokens, routes.TopK),
        ],
        Forward = t => t.Device.DispatchPlan(t["ids"], t["counts"], t["offsets"], t["tokenOfRow"], t["rowOfChoice"]),
    };

    private static OpCase Grouped(Routes routes, int outputs, int inputs, bool gather, Operands operands)
    {
        int rows = routes.Rows, experts = routes.Experts;
        RoutedRows All(OpOperands t) => new(gather ? t["tokenOfRow"] : default, t["offsets"]);
        return new((gather ? "grouped_matmul" : "grouped_matmul of sorted rows") + operands.Name, $"{routes.Name} x {outputs} x {inputs}")
        {
            Tensors =
            [
                operands.Input("x", operands.X, gather ? routes.Tokens : rows, inputs), Ints("tokenOfRow", routes.TokenOfRow),
                Ints("offsets", routes.Offsets),
                Ints("offsetsOfRowAlone", routes.OffsetsOfRowAlone, rows, experts + 1), operands.Prepared("w", experts, outputs, inputs),
                Out("y", rows, outputs), operands.Input("gradY", operands.GradY, rows, outputs), Out("gradX", rows, inputs),
                Changed("gradW", experts, outputs, inputs),
            ],
            Forward = t => t.Device.GroupedMatMulForward(t["x"], All(t), t.Prepared("w"), t["y"]),
            Backward = t =>
            {
                t.Device.GroupedMatMulBackwardInput(t["gradY"], All(t), t.Prepared("w"), t["gradX"]);
                t.Device.GroupedMatMulBackwardWeight(t["gradY"], t["x"], All(t), t.Prepared("w"), t["gradW"]);
            },
            Projection = [("y", "gradY")],

            // With a gather gradX is one row per routed row, the gradient of the gathered rows and not yet of x.
            Gradients = gather ? [("w", "gradW")] : [("w", "gradW"), ("x", "gradX")],
            ForwardRow = (t, r) =>
            {
                var alone = new RoutedRows(
                    gather ? t["tokenOfRow"].Slice(r, 1) : default, t["offsetsOfRowAlone"].Slice(r, 1).Reshape(experts + 1));
                t.Device.GroupedMatMulForward(gather ? t["x"] : t["x"].Slice(r, 1), alone, t.Prepared("w"), t["y"].Slice(r, 1));
            },
            Rows = rows,
            IsProduct = true,
        };
    }

    /// <summary>
    /// An MLP's two matmuls with SwiGLU: gate and up forward, and the down projection backward. The cases of the parts check the gradients.
    /// </summary>
    private static OpCase Activated(Routes routes, int width, int hidden, Operands operands)
    {
        int rows = routes.Rows, experts = routes.Experts;
        RoutedRows All(OpOperands t) => new(t["tokenOfRow"], t["offsets"]);
        return new("matmul_swiglu of experts", $"{routes.Name} x {width} x {hidden}")
        {
            Tensors =
            [
                operands.Input("x", operands.X, routes.Tokens, hidden), Ints("tokenOfRow", routes.TokenOfRow),
                Ints("offsets", routes.Offsets),
                Ints("offsetsOfRowAlone", routes.OffsetsOfRowAlone, rows, experts + 1),
                operands.Prepared("gateUp", experts, 2 * width, hidden),
                operands.Prepared("down", experts, hidden, width), Out("z", rows, 2 * width), Out("y", rows, width),
                operands.Input("gradY", operands.GradY, rows, hidden), Out("gradHidden", rows, width), Out("gradZ", rows, 2 * width),
            ],
            Forward = t => t.Device.MatMulSwiGluForward(t["x"], All(t), t.Prepared("gateUp"), t["z"], t["y"]),
            Backward = t => t.Device.MatMulSwiGluBackward(
                t["gradY"], All(t) with { TokenOfRowR = default }, t.Prepared("down"), t["z"], t["gradHidden"], t["gradZ"]),
            ForwardRow = (t, r) =>
            {
                var alone = new RoutedRows(t["tokenOfRow"].Slice(r, 1), t["offsetsOfRowAlone"].Slice(r, 1).Reshape(experts + 1));
                t.Device.MatMulSwiGluForward(t["x"], alone, t.Prepared("gateUp"), t["z"].Slice(r, 1), t["y"].Slice(r, 1));
            },
            Rows = rows,
        };
    }

    private static OpCase Combine(Routes routes, int columns) => new("combine", $"{routes.Name} x {columns}")
    {
        Tensors =
        [
            In("rows", routes.Rows, columns), Ints("rowOfChoice", routes.RowOfChoice, routes.Tokens, routes.TopK),
            In("weights", routes.Tokens, routes.TopK), Changed("y", routes.Tokens, columns), In("gradY", routes.Tokens, columns),
            Out("gradRows", routes.Rows, columns), Out("gradWeights", routes.Tokens, routes.TopK),
        ],
        Forward = t => t.Device.CombineForward(t["rows"], t["rowOfChoice"], t["weights"], t["y"]),
        Backward = t => t.Device.CombineBackward(
            t["gradY"], t["rows"], t["rowOfChoice"], t["weights"], t["gradRows"], t["gradWeights"]),
        Projection = [("y", "gradY")],
        Gradients = [("rows", "gradRows"), ("weights", "gradWeights")],
        IsProduct = true,
    };

    private static OpCase CombineInPlace(Routes routes, int columns) => new("combine in place", $"{routes.Name} x {columns}")
    {
        Tensors =
        [
            Changed("rows", routes.Rows, columns), Ints("rowOfChoice", routes.RowOfChoice, routes.Tokens, routes.TopK),
            In("weights", routes.Tokens, routes.TopK), In("gradY", routes.Tokens, columns),
            Out("gradWeights", routes.Tokens, routes.TopK),
        ],
        Forward = t => t.Device.CombineBackward(t["gradY"], t["rows"], t["rowOfChoice"], t["weights"], t["rows"], t["gradWeights"]),
        IsProduct = true,
    };

    /// <summary>The forward of dispatch is the gather in the grouped matmul; here an embedding lookup in x takes its place.</summary>
    private static OpCase Dispatch(Routes routes, int columns) => new("dispatch", $"{routes.Name} x {columns}")
    {
        Tensors =
        [
            In("x", routes.Tokens, columns), Ints("tokenOfRow", routes.TokenOfRow),
            Ints("rowOfChoice", routes.RowOfChoice, routes.Tokens, routes.TopK), Out("rows", routes.Rows, columns),
            In("gradRows", routes.Rows, columns), Changed("gradX", routes.Tokens, columns),
        ],
        Forward = t => t.Device.EmbeddingForward(t["tokenOfRow"], t["x"], t["rows"]),
        Backward = t => t.Device.DispatchBackward(t["gradRows"], t["rowOfChoice"], t["gradX"]),
        Projection = [("rows", "gradRows")],
        Gradients = [("x", "gradX")],
        IsProduct = true,
    };
}
