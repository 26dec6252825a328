namespace Lingotto.Compute;

internal static partial class ConformanceSuite
{
    private static IEnumerable<OpCase> Attention()
    {
        foreach (int tokens in s_edges)
        {
            yield return Attention(tokens, new AttentionShape(2, 1, 5, tokens), 0, 0, "one document");
            yield return Attention(tokens, new AttentionShape(2, 2, 4, tokens), 0, tokens / 3, "two documents");
            yield return Cached(tokens, 0, new AttentionShape(2, 1, 5, tokens));
            yield return Cached(3, tokens, new AttentionShape(4, 2, 8, 3));
            yield return Rope(tokens, 8, 8, RotaryLayout.Half);
            yield return Rope(tokens, 6, 4, RotaryLayout.Interleaved);
        }

        foreach (int channels in s_edges)
        {
            yield return Attention(7, new AttentionShape(4, 2, channels, 7), 0, 3, "two documents");
            yield return Cached(2, 3, new AttentionShape(3, 1, channels, 2));
            yield return Rope(3, 2 * channels, 2 * channels, RotaryLayout.Half);
            yield return RotatedInto(Rope(3, 2 * channels + 1, 2 * channels, RotaryLayout.Half), DType.F32);
            yield return RotatedInto(Rope(3, 2 * channels + 3, 2 * channels, RotaryLayout.Interleaved), DType.BF16);
            yield return Rope(3, 2 * channels + 1, 2 * channels, RotaryLayout.Half);
            yield return Rope(3, 2 * channels + 3, 2 * channels, RotaryLayout.Interleaved);
        }

        // Past the blocks of 64 keys.
        yield return Cached(3, 62, new AttentionShape(4, 2, 16, 3));
        yield return Cached(2, 130, new AttentionShape(3, 1, 5, 2));

        // Past the tiles of 64 queries and 96 keys, with boundaries inside them, and with sequences that end raggedly.
        yield return Attention(131, new AttentionShape(6, 2, 16, 131), 0, 70, "two documents");
        yield return Attention(203, new AttentionShape(1, 1, 3, 203), 11, 0, "documents of eleven");
        yield return Attention(197, new AttentionShape(2, 1, 33, 99), 40, 0, "documents of forty");
        yield return Attention(50, new AttentionShape(2, 1, 8, 16), 5, 0, "documents of five, sequences of sixteen");
        yield return Attention(50, new AttentionShape(2, 2, 8, 16), 0, 0, "a document across sequences of sixteen");

        // In bfloat16: odd channels, more channels and keys than a panel, more keys than a tile.
        yield return Attention(7, new AttentionShape(4, 2, 9, 7), 0, 3, "two documents", DType.BF16);
        yield return Attention(67, new AttentionShape(4, 2, 16, 67), 0, 33, "two documents", DType.BF16);
        yield return Attention(131, new AttentionShape(3, 1, 66, 131), 11, 0, "documents of eleven", DType.BF16);
        yield return Attention(330, new AttentionShape(2, 1, 8, 165), 40, 0, "documents of forty", DType.BF16);
        yield return Attention(200, new AttentionShape(2, 1, 8, 100), 0, 0, "a document across sequences of a hundred", DType.BF16);
        yield return Attention(601, new AttentionShape(2, 1, 6, 601), 0, 300, "two documents", DType.BF16);
    }

    /// <param name="tokens">T.</param>
    /// <param name="shape">Heads.</param>
    /// <param name="every">Documents of this many tokens within each sequence; 0 for none.</param>
    /// <param name="boundary">A document begins here; 0 for none.</param>
    /// <param name="what">The documents in words.</param>
    /// <param name="storage">Of heads and outputs.</param>
    private static OpCase Attention(
        int tokens, AttentionShape shape, int every, int boundary, string what, DType storage = DType.F32)
    {
        int length = shape.SequenceLength;
        int[] starts =
        [
            .. Enumerable.Range(0, tokens).Select(t => every > 0
                ? t / length * length + t % length / every * every
                : t >= boundary ? boundary : 0),
        ];
        return new(storage == DType.BF16 ? "attention in bf16" : "attention", $"{tokens} x {Heads(shape)}, {what}")
        {
            Tensors =
            [
                new("qkv", OpRole.Input, storage, Fused(tokens, shape)), Ints("starts", starts),
                new("y", OpRole.Output, storage, [tokens, shape.NumHeads, shape.HeadDim]),
                Out("logSumExp", tokens, shape.NumHeads), In("gradY", tokens, shape.NumHeads, shape.HeadDim),
                Out("gradQkv", Fused(tokens, shape)),
            ],
            Forward = t => t.Device.AttentionForward(t["qkv"], t["starts"], shape, t["y"], t["logSumExp"]),
            Backward = t => t.Device.AttentionBackward(
                t["gradY"], t["qkv"], t["starts"], shape, t["y"], t["logSumExp"], t["gradQkv"]),
            Projection = [("y", "gradY")],
            Gradients = [("qkv", "gradQkv")],
            Tolerance = storage == DType.BF16 ? RoundedInside : Single,
        };
    }

    /// <summary>The cache is longer than what is in it: the end of each head must stay as it was.</summary>
    private static OpCase Cached(int tokens, int first, AttentionShape shape) =>
        new("attention_with_cache", $"{first} + {tokens} x {Heads(shape)}")
        {
            Tensors =
            [
                In("qkv", Fused(tokens, shape)), Changed("cache", 2 * shape.NumKeyValueHeads, first + tokens + 1, shape.HeadDim),
                Out("y", tokens, shape.NumHeads, shape.HeadDim),
            ],
            Forward = t => t.Device.AttentionWithCache(t["qkv"], t["cache"], first, shape, t["y"]),
            ForwardRow = (t, r) => t.Device.AttentionWithCache(t["qkv"].Slice(r, 1), t["cache"], first + r, shape, t["y"].Slice(r, 1)),
            Rows = tokens,
        };

    private static OpCase Rope(int tokens, int channels, int rotated, RotaryLayout layout)
    {
        var shape = new AttentionShape(2, 1, channels, tokens);
        const int Positions = 11;
        double[] table =
        [
            .. from position in Enumerable.Range(0, Positions)
               from i in Enumerable.Range(0, rotated)
               let angle = position * Math.Pow(100, -2.0 * (i % (rotated / 2)) / rotated)
               select (double)(float)(i < rotated / 2 ? Math.Cos(angle) : Math.Sin(angle)),
        ];
        return new("rope", $"{tokens} x {Heads(shape)}, {rotated} rotated, {layout}")
        {
            Tensors =
            [
                Changed("qkv", Fused(tokens, shape)), Ints("positions", Scattered(tokens, Positions)),
                In("cosSin", Positions, rotated) with { Values = table }, Changed("gradQkv", Fused(tokens, shape)),
            ],
            Forward = t => t.Device.RopeForward(t["qkv"], t["positions"], t["cosSin"], shape, layout, t.Has("y") ? t["y"] : t["qkv"]),
            Backward = t => t.Device.RopeBackward(t["gradQkv"], t["positions"], t["cosSin"], shape, layout),
            Projection = [("qkv", "gradQkv")],
            Gradients = [("qkv", "gradQkv")],
        };
    }

    /// <summary>A case of rope whose result is another tensor.</summary>
    private static OpCase RotatedInto(OpCase c, DType storage) => c with
    {
        Operation = storage == DType.BF16 ? "rope into bf16" : "rope into another tensor",
        Tensors = [.. c.Tensors, new("y", OpRole.Output, storage, c.Tensors[0].Shape)],
        Projection = [],
        Gradients = [],
        Tolerance = storage == DType.BF16 ? RoundedResult : Single,
    };
}
