using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>The tokens of one micro-batch on the device: T rows, whole sequences one after the other.</summary>
public sealed class TokenBatch
{
    private readonly int[] _positions;
    private readonly int[] _starts;
    private readonly int[] _nextIds;
    private readonly int[] _nextTargets;

    internal TokenBatch(ModelConfig config, int tokens, int sequenceLength, Arena arena, bool hasMtp)
    {
        Rotary = new RotaryTable(config, sequenceLength, arena);
        SequenceLength = sequenceLength;
        Ids = arena.Allocate(DType.I32, tokens);
        Targets = arena.Allocate(DType.I32, tokens);
        Positions = arena.Allocate(DType.I32, tokens);
        DocumentStarts = arena.Allocate(DType.I32, tokens);
        if (hasMtp)
        {
            NextIds = arena.Allocate(DType.I32, tokens);
            NextTargets = arena.Allocate(DType.I32, tokens);
        }

        _nextIds = new int[NextIds.IsAbsent ? 0 : tokens];
        _nextTargets = new int[_nextIds.Length];
        _positions = new int[tokens];
        _starts = new int[tokens];
    }

    /// <summary>Rows of one sequence.</summary>
    public int SequenceLength { get; }

    /// <summary>I32[T].</summary>
    public Tensor Ids { get; }

    /// <summary>I32[T]: the next token, or <see cref="Device.IgnoredTarget"/>.</summary>
    public Tensor Targets { get; }

    /// <summary>I32[T]: position within the document.</summary>
    public Tensor Positions { get; }

    /// <summary>I32[T]: the row at which the document begins.</summary>
    public Tensor DocumentStarts { get; }

    /// <summary>I32[T]: the next token as an input, 0 where there is none; absent unless the token after next is predicted.</summary>
    public Tensor NextIds { get; }

    /// <summary>I32[T]: the token after next within the document, or <see cref="Device.IgnoredTarget"/>.</summary>
    public Tensor NextTargets { get; }

    /// <summary>Angles of every position of a sequence.</summary>
    internal RotaryTable Rotary { get; }

    /// <summary>
    /// Fills the batch. <paramref name="documentStarts"/> counts from the start of each row's own sequence, as the packed
    /// data gives it.
    /// </summary>
    public void Upload(Device device, ReadOnlySpan<int> ids, ReadOnlySpan<int> targets, ReadOnlySpan<int> documentStarts)
    {
        ArgumentNullException.ThrowIfNull(device);
        for (int t = 0; t < ids.Length; t++)
        {
            _starts[t] = t / SequenceLength * SequenceLength + documentStarts[t];
            _positions[t] = t - _starts[t];
        }

        device.Upload(ids, Ids);
        device.Upload(targets, Targets);
        device.Upload<int>(_positions, Positions);
        device.Upload<int>(_starts, DocumentStarts);
        if (!NextIds.IsAbsent)
        {
            UploadNext(device, targets);
        }
    }

    private void UploadNext(Device device, ReadOnlySpan<int> targets)
    {
        for (int t = 0; t < targets.Length; t++)
        {
            bool hasNext = targets[t] != Device.IgnoredTarget;
            bool continues = hasNext && t + 1 < targets.Length && _starts[t + 1] == _starts[t];
            _nextIds[t] = hasNext ? targets[t] : 0;
            _nextTargets[t] = continues ? targets[t + 1] : Device.IgnoredTarget;
        }

        device.Upload<int>(_nextIds, NextIds);
        device.Upload<int>(_nextTargets, NextTargets);
    }
}
