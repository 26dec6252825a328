namespace Lingotto.Text;

/// <summary>A token id that is outside the vocabulary of a tokenizer.</summary>
public sealed class TokenIdException(int id, int vocabSize)
    : Exception($"{id} is not a token id: give ids from 0 to {vocabSize - 1}, or the tokenizer that wrote these ids")
{
    /// <summary>The id.</summary>
    public int Id { get; } = id;
}
