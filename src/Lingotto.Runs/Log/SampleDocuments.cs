using Lingotto.Text;

namespace Lingotto.Runs;

/// <summary>Which texts a sample holds: its source, and how each of its documents reads from where the sample enters it.</summary>
internal sealed class SampleDocuments(MixedSequences data, int sequenceLength, Tokenizer tokenizer)
{
    private const int ExcerptTokens = 24, ExcerptLength = 80;

    private readonly int[] _inputs = new int[sequenceLength];
    private readonly int[] _targets = new int[sequenceLength];
    private readonly int[] _starts = new int[sequenceLength];

    /// <summary>The source of a sample.</summary>
    public string SourceOf(long sample) => data.Locate(sample).Source;

    /// <summary>The beginning of each document in the sample, long enough to find it by.</summary>
    public IReadOnlyList<string> Excerpts(long sample)
    {
        data.Fill(sample, _inputs, _targets, _starts);
        var excerpts = new List<string>();
        for (int first = 0; first < sequenceLength;)
        {
            int end = first + 1;
            while (end < sequenceLength && _starts[end] == first)
            {
                end++;
            }

            string text = tokenizer.Decode(_inputs.AsSpan(first, Math.Min(ExcerptTokens, end - first)));
            excerpts.Add(text.Length <= ExcerptLength ? text : text[..ExcerptLength]);
            first = end;
        }

        return excerpts;
    }
}
