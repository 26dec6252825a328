namespace Lingotto.Text;

/// <summary>What a tokenizer.json holds: tokens by id, merges by rank, added tokens.</summary>
/// <param name="Tokens">Token by id in the byte-level alphabet; null where no token of the model has the id.</param>
/// <param name="Merges">The two ids that merge and what they become, best rank first.</param>
/// <param name="AddedTokens">Tokens found in raw text before BPE.</param>
/// <param name="IgnoreMerges">A piece that is itself in the vocabulary is taken whole before any merge.</param>
internal sealed record BpeVocabulary(
    string?[] Tokens, (int Left, int Right, int Merged)[] Merges, AddedToken[] AddedTokens, bool IgnoreMerges);
