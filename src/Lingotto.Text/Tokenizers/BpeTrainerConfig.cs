namespace Lingotto.Text;

/// <summary>How a vocabulary is trained.</summary>
/// <param name="VocabSize">Ids in all: 256 bytes, merges, then the special tokens.</param>
public sealed record BpeTrainerConfig(int VocabSize)
{
    /// <summary>The last ids of the vocabulary, in this order; <c>&lt;|endoftext|&gt;</c> must be among them.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } =
        ["<|startoftext|>", "<|endoftext|>", "<|pad|>", "<role>", "</role>", "<|role_end|>"];
}
