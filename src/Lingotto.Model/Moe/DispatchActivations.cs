using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>The routing of one micro-batch through one layer. A dispatcher that needs more memory derives from it.</summary>
internal class DispatchActivations
{
    public DispatchActivations(ModelConfig config, int tokens, Arena arena)
    {
        TokensPerExpert = arena.Allocate(DType.I32, config.NumExperts);
        Offsets = arena.Allocate(DType.I32, config.NumExperts + 1);
        TokenOfRow = arena.Allocate(DType.I32, tokens * config.NumExpertsPerTok);
        RowOfChoice = arena.Allocate(DType.I32, tokens, config.NumExpertsPerTok);
    }

    private DispatchActivations(DispatchActivations whole, int tokens)
    {
        TokensPerExpert = whole.TokensPerExpert;
        Offsets = whole.Offsets;
        TokenOfRow = whole.TokenOfRow.Slice(0, tokens * whole.RowOfChoice.Columns);
        RowOfChoice = whole.RowOfChoice.Slice(0, tokens);
    }

    /// <summary>I32[E]: rows of each expert, numbered globally.</summary>
    public Tensor TokensPerExpert { get; }

    /// <summary>I32[E + 1]: first row of each expert.</summary>
    public Tensor Offsets { get; }

    /// <summary>I32[R]: token of each routed row.</summary>
    public Tensor TokenOfRow { get; }

    /// <summary>I32[T, K]: routed row of each choice.</summary>
    public Tensor RowOfChoice { get; }

    /// <summary>What the rows of the local experts index: the layer's input, or rows that came from other ranks.</summary>
    public Tensor Source { get; set; }

    /// <summary>The rows of the local experts.</summary>
    public RoutedRows Rows { get; set; }

    /// <summary>The same memory for the first <paramref name="tokens"/> tokens.</summary>
    public DispatchActivations First(int tokens) => new(this, tokens);
}
