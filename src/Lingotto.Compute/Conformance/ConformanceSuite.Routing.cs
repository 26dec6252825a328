namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    /// <summary>Ling 1.0: softmax, renormalised.</summary>
    private static readonly RouterShape s_softmax = new(RouterScore.Softmax, 8, 3, NormTopkProb: true, 1f);

    /// <summary>Ling 2.0: sigmoid, renormalised, scaled, two of four groups.</summary>
    private static readonly RouterShape s_grouped = new(RouterScore.Sigmoid, 16, 3, NormTopkProb: true, 2.5f, NGroup: 4, TopkGroup: 2);

    private static IEnumerable<OpCase> Routing()
    {
        foreach (int tokens in s_edges)
        {
            yield return Router(tokens, s_softmax, bias: false);
            yield return Router(tokens, s_grouped, bias: true);
            yield return Warmup(tokens, 5);
        }

        foreach (int experts in s_edges)
        {
            RouterShape softmax = new(RouterScore.Softmax, experts, Math.Min(2, experts), NormTopkProb: experts > 1, 1f);
            yield return Router(5, softmax, bias: false);
            yield return Router(
                5, softmax with { Score = RouterScore.Sigmoid, NormTopkProb = false, RoutedScalingFactor = 1.5f }, bias: true);
            yield return Ties(experts);
            yield return AddCounts(experts);
            yield return ExpertBias(Scattered(experts, 5), "scattered");
            yield return ExpertBias([.. Enumerable.Repeat(3, experts)], "even");

            // All but two experts at the mean exactly: their sign is 0, which a rounded mean would miss.
            yield return ExpertBias([0, 2, .. Enumerable.Repeat(1, experts)], "two off the mean");
        }

        yield return Router(7, s_softmax with { NormTopkProb = false }, bias: false);
        yield return Router(7, s_softmax with { NumExpertsPerTok = 8 }, bias: false);
        yield return Router(7, s_grouped with { NGroup = 16, TopkGroup = 5 }, bias: true);
        yield return Router(4003, s_softmax, bias: false);
        yield return Warmup(4003, 8);
    }

    /// <summary>The choice is held fixed by the differences, whose step is far smaller than the gaps between scores.</summary>
    private static OpCase Router(int tokens, RouterShape shape, bool bias)
    {
        const float Balance = 0.7f, Z = 0.3f;
        int experts = shape.NumExperts, topK = shape.NumExpertsPerTok;
        int[] counts = Scattered(experts, tokens + 1, 3);
        return new("router", $"{tokens} x {shape}{(bias ? ", biased" : "")}")
        {
            Tensors =
            [
                In("logits", tokens, experts), In("bias", experts) with { Deviation = 0.3 }, Ints("counts", counts),
                Out("scores", tokens, experts),
                OutInts("ids", tokens, topK), Out("weights", tokens, topK), Out("losses", 2), In("gradWeights", tokens, topK),
                In("gradLosses", 2) with { Values = [Balance, Z] }, Out("gradLogits", tokens, experts),
            ],
            Forward = t =>
            {
                t.Device.RouterForward(t["logits"], bias ? t["bias"] : default, shape, t["scores"], t["ids"], t["weights"]);
                t.Device.RouterLosses(t["logits"], t["scores"], t["counts"], shape, t["losses"]);
            },
            Backward = t => t.Device.RouterBackward(
                t["gradWeights"], t["logits"], t["scores"], t["ids"], t["weights"], t["counts"], shape, Balance, Z, t["gradLogits"]),
            Projection = [("weights", "gradWeights"), ("losses", "gradLosses")],
            Gradients = [("logits", "gradLogits")],
            ForwardRow = tokens > 200 ? null : (t, r) =>
            {
                t.Device.RouterForward(
                    t["logits"].Slice(r, 1), bias ? t["bias"] : default, shape, t["scores"].Slice(r, 1), t["ids"].Slice(r, 1),
                    t["weights"].Slice(r, 1));
                if (r == tokens - 1)
                {
                    t.Device.RouterLosses(t["logits"], t["scores"], t["counts"], shape, t["losses"]);
                }
            },
            Rows = tokens,
        };
    }

    /// <summary>Equal logits: the lower expert comes first, and of equal groups the lower one.</summary>
    private static OpCase Ties(int experts)
    {
        bool grouped = experts % 4 == 0;
        var shape = new RouterShape(
            RouterScore.Sigmoid, experts, Math.Min(3, experts / (grouped ? 2 : 1)), NormTopkProb: true, 1f, grouped ? 4 : 1,
            grouped ? 2 : 1);
        double[] logits = [.. Enumerable.Range(0, 4 * experts).Select(i => i / experts == 0 ? 0.5 : (double)(i * 7 % 3))];
        return new("router with ties", $"{experts} experts")
        {
            Tensors =
            [
                In("logits", 4, experts) with { Values = logits }, Out("scores", 4, experts), OutInts("ids", 4, shape.NumExpertsPerTok),
                Out("weights", 4, shape.NumExpertsPerTok),
            ],
            Forward = t => t.Device.RouterForward(t["logits"], default, shape, t["scores"], t["ids"], t["weights"]),
        };
    }

    private static OpCase Warmup(int tokens, int experts) => new("routing_warmup", $"{tokens} x {experts}")
    {
        Tensors = [Changed("logits", tokens, experts) with { Mean = 0.5 }, Changed("running", 2) with { Values = [0.3, 2] }],
        Forward = t => t.Device.RoutingWarmup(
            t["logits"], t["running"], 0.25f, 0.125f, new CounterRandom(5, RandomPurpose.RoutingWarmup), 3UL << 16, 1001),
    };

    private static OpCase ExpertBias(int[] counts, string what) => new("expert_bias_update", $"{counts.Length} experts, {what}")
    {
        Tensors = [Ints("counts", counts), Changed("bias", counts.Length) with { Deviation = 0.01 }],
        Forward = t => t.Device.ExpertBiasUpdate(t["counts"], 0.125f, t["bias"]),
    };

    private static OpCase AddCounts(int experts) => new("add_counts", $"{experts} experts")
    {
        Tensors =
        [
            Ints("counts", [.. Enumerable.Range(0, experts).Select(e => e * 7919 % 1001)]),
            Ints("total", [.. Enumerable.Range(0, experts).Select(e => 70_000 + e)]) with { Role = OpRole.Changed }, Out("asFloats", experts),
        ],
        Forward = t => t.Device.AddCounts(t["counts"], t["total"], t["asFloats"]),
    };
}
