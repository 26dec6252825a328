namespace Lingotto.Text;

/// <summary>A run of tokens of a split: all of it, or one source.</summary>
internal readonly record struct TokenRange(TokenSplit Split, long Start, long Count)
{
    public int EndOfTextId => Split.EndOfTextId;

    public void Read(long start, Span<int> ids) => Split.Read(Start + start, ids);
}
