namespace Lingotto.Text;

/// <summary>Cuts a split into sequences of one length and gives them in a random order that needs no state.</summary>
/// <remarks>
/// Sequence i is the tokens [i L, i L + L); its targets are the tokens at the next positions. Documents run across sequences;
/// within a sequence, <c>documentStarts</c> keeps attention inside a document. The target of an end-of-text is
/// <see cref="IgnoredTarget"/>: the next document cannot be predicted.
/// </remarks>
public sealed class PackedSequences
{
    private readonly TokenRange _tokens;
    private readonly ulong _seed;

    /// <summary>The target of a token whose successor is not to be learnt.</summary>
    public const int IgnoredTarget = -100;

    /// <summary>Cuts a whole split.</summary>
    /// <param name="split">The tokens.</param>
    /// <param name="sequenceLength">L, the tokens of a sequence.</param>
    /// <param name="seed">The seed of the order.</param>
    public PackedSequences(TokenSplit split, int sequenceLength, ulong seed)
        : this(split.Part(0, split.Count), sequenceLength, seed)
    {
    }

    internal PackedSequences(TokenRange tokens, int sequenceLength, ulong seed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sequenceLength, 1);
        (_tokens, SequenceLength, _seed) = (tokens, sequenceLength, seed);
    }

    /// <summary>Tokens of a sequence.</summary>
    public int SequenceLength { get; }

    /// <summary>Whole sequences of an epoch; 0 when the split is shorter than one.</summary>
    public long Count => Math.Max(0, (_tokens.Count - 1) / SequenceLength);

    /// <summary>Sequences that cover every token in order, the last one padded; for <see cref="FillInOrder"/>.</summary>
    public long CountInOrder => _tokens.Count <= 1 ? 0 : ((_tokens.Count - 2) / SequenceLength) + 1;

    /// <summary>Sample number <paramref name="globalSampleIndex"/> of the endless stream of epochs, each in its own random order.</summary>
    /// <param name="globalSampleIndex">From 0; the epoch is index / <see cref="Count"/>.</param>
    /// <param name="inputs">L token ids.</param>
    /// <param name="targets">L token ids, each the next one, or <see cref="IgnoredTarget"/>.</param>
    /// <param name="documentStarts">For each of the L tokens, where in the sequence its document begins.</param>
    /// <exception cref="InvalidOperationException">The split is shorter than one sequence.</exception>
    public void Fill(long globalSampleIndex, Span<int> inputs, Span<int> targets, Span<int> documentStarts)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(globalSampleIndex);
        if (Count == 0)
        {
            throw new InvalidOperationException(
                $"{_tokens.Count} tokens are too few for a sequence of {SequenceLength}: add text or shorten sequences");
        }

        (long epoch, long index) = Math.DivRem(globalSampleIndex, Count);
        long sequence = new SampleOrder(Count, _seed, epoch)[index];
        FillSequence(sequence, SequenceLength, inputs, targets, documentStarts);
    }

    /// <summary>Sequence number <paramref name="index"/> as the text has it; for evaluation.</summary>
    /// <remarks>
    /// Positions after the end of the split are filled with end-of-text tokens, each a document of its own with an ignored
    /// target.
    /// </remarks>
    public void FillInOrder(long index, Span<int> inputs, Span<int> targets, Span<int> documentStarts)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, CountInOrder);
        int length = (int)Math.Min(SequenceLength, _tokens.Count - 1 - (index * SequenceLength));
        FillSequence(index, length, inputs, targets, documentStarts);
    }

    private void FillSequence(long sequence, int length, Span<int> inputs, Span<int> targets, Span<int> documentStarts)
    {
        if (inputs.Length != SequenceLength || targets.Length != SequenceLength || documentStarts.Length != SequenceLength)
        {
            throw new ArgumentException($"inputs, targets and documentStarts must each hold {SequenceLength} elements");
        }

        long start = sequence * SequenceLength;
        _tokens.Read(start, inputs[..length]);
        inputs[1..length].CopyTo(targets);
        _tokens.Read(start + length, targets.Slice(length - 1, 1));
        inputs[length..].Fill(_tokens.EndOfTextId);
        targets[length..].Fill(IgnoredTarget);

        int documentStart = 0;
        for (int i = 0; i < inputs.Length; i++)
        {
            documentStarts[i] = documentStart;
            if (inputs[i] != _tokens.EndOfTextId)
            {
                continue;
            }

            targets[i] = IgnoredTarget;
            documentStart = i + 1;
        }
    }
}
