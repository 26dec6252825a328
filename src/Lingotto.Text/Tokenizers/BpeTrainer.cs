namespace Lingotto.Text;

/// <summary>Learns a byte-level BPE vocabulary: again and again the most frequent adjacent pair becomes a token.</summary>
/// <remarks>
/// Pairs are counted inside the pieces of the Ling pattern. Of equally frequent pairs the one with the smaller left, then right
/// id is merged first, so that the same documents give the same vocabulary in any order. Ids: the 256 bytes in the order of their
/// characters in the byte-level alphabet (as GPT-2), the merges, the special tokens (as the Ling 2.0 family).
/// </remarks>
public static class BpeTrainer
{
    private const int DocumentsPerReport = 256;

    /// <summary>Trains a vocabulary of exactly <see cref="BpeTrainerConfig.VocabSize"/> ids.</summary>
    /// <exception cref="ArgumentException">The configuration is not usable.</exception>
    /// <exception cref="InvalidDataException">The documents are too few for a vocabulary of this size.</exception>
    public static Tokenizer Train(
        IEnumerable<string> documents, BpeTrainerConfig config, IProgress<BpeTrainingProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        int mergeCount = CheckedMergeCount(config);
        PieceCounter pieces = CountPieces(documents, mergeCount, progress, cancellationToken, out long documentCount);

        var tokens = new string?[256 + mergeCount];
        byte[] alphabet = ByteLevelAlphabet.BytesInCharacterOrder;
        for (int id = 0; id < alphabet.Length; id++)
        {
            tokens[id] = ByteLevelAlphabet.ToCharacters([alphabet[id]]);
        }

        var pairs = new PairCounts(pieces, alphabet);
        var merges = new (int Left, int Right, int Merged)[mergeCount];
        for (int rank = 0; rank < mergeCount; rank++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            int merged = alphabet.Length + rank;
            if (!pairs.TryMergeMostFrequent(merged, out int left, out int right))
            {
                throw TooFewDocuments(config, config.VocabSize - mergeCount + rank);
            }

            merges[rank] = (left, right, merged);
            tokens[merged] = tokens[left] + tokens[right];
            progress?.Report(new BpeTrainingProgress(documentCount, pieces.Utf8Bytes, rank + 1, mergeCount));
        }

        AddedToken[] special = [.. config.SpecialTokens.Select((content, i) => new AddedToken(tokens.Length + i, content))];
        return new Tokenizer(new BpeVocabulary(tokens, merges, special, IgnoreMerges: false));
    }

    private static int CheckedMergeCount(BpeTrainerConfig config)
    {
        if (!config.SpecialTokens.Contains("<|endoftext|>") || config.SpecialTokens.Distinct().Count() != config.SpecialTokens.Count)
        {
            throw new ArgumentException("SpecialTokens must be distinct and hold <|endoftext|>", nameof(config));
        }

        int mergeCount = config.VocabSize - 256 - config.SpecialTokens.Count;
        return mergeCount >= 0
            ? mergeCount
            : throw new ArgumentException(
                $"VocabSize is {config.VocabSize}; the bytes and special tokens alone need {config.VocabSize - mergeCount}",
                    nameof(config));
    }

    private static PieceCounter CountPieces(
        IEnumerable<string> documents, int mergeCount, IProgress<BpeTrainingProgress>? progress, CancellationToken cancellationToken,
        out long documentCount)
    {
        var pieces = new PieceCounter();
        documentCount = 0;
        foreach (string document in documents)
        {
            cancellationToken.ThrowIfCancellationRequested();
            pieces.Add(document);
            if (++documentCount % DocumentsPerReport == 0)
            {
                progress?.Report(new BpeTrainingProgress(documentCount, pieces.Utf8Bytes, 0, mergeCount));
            }
        }

        return pieces;
    }

    private static InvalidDataException TooFewDocuments(BpeTrainerConfig config, int largest) => new(
        $"the documents give a vocabulary of {largest} at most, not {config.VocabSize}: add text or lower vocab_size to {largest}");
}
