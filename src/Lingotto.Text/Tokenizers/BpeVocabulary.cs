namespace Lingotto.Text;

/// <summary>What a tokenizer.json holds: tokens by id, merges by rank, added tokens.</summary>
/// <param name="Tokens">Token by id in the byte-level alphabet; null where no token of the model has the id.</param>
/// <param name="Merges">The two ids that merge and what they become, best rank first.</param>
/// <param name="AddedTokens">Tokens found in raw text before BPE.</param>
/// <param name="IgnoreMerges">A piece that is itself in the vocabulary is taken whole before any merge.</param>
internal sealed record BpeVocabulary(
    string?[] Tokens, (int Left, int Right, int Merged)[] Merges, AddedToken[] AddedTokens, bool IgnoreMerges);

/// <summary>A token found in raw text before any other rule, with the flags of tokenizer.json.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">The text looked for.</param>
/// <param name="SingleWord">Only where no word character touches it.</param>
/// <param name="LStrip">Swallows whitespace before it.</param>
/// <param name="RStrip">Swallows whitespace after it.</param>
/// <param name="Normalized">Looked for after, instead of before, the tokens that are not normalized.</param>
/// <param name="Special">Left out when decoding.</param>
internal sealed record AddedToken(
    int Id, string Content, bool SingleWord = false, bool LStrip = false, bool RStrip = false, bool Normalized = false,
        bool Special = true);
