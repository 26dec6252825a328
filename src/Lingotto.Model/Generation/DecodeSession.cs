using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// A decoder that runs: one sequence with a key/value cache. The logits after a token depend on that token and those
/// before it alone, whatever the chunks in which they came.
/// </summary>
public sealed class DecodeSession : IDisposable
{
    /// <summary>Tokens of a prompt that are run together: enough rows for the products to be efficient.</summary>
    private const int PrefillChunk = 64;

    private readonly Device _device;
    private readonly Arena _arena;
    private readonly DecoderStage _stage;
    private readonly RotaryTable _rotary;
    private readonly KvCache _cache;
    private readonly LayerActivations _activations;
    private readonly HeadActivations _head;
    private readonly Tensor _idsT;
    private readonly Tensor _positionsT;
    private readonly Tensor _embeddedTD;
    private readonly Tensor _logits1V;
    private readonly int[] _positions = new int[PrefillChunk];
    private readonly float[] _logits;

    /// <summary>A session for up to <paramref name="positions"/> tokens, prompt included. The model must outlive the session.</summary>
    /// <exception cref="OutOfDeviceMemoryException">The cache does not fit.</exception>
    public DecodeSession(LoadedModel model, int positions)
        : this(model, positions, new Arena(model.Device, PlannedBytes(model, positions))) => _rotary.Upload(_device);

    private DecodeSession(LoadedModel model, int positions, Arena arena)
    {
        ModelConfig config = model.Config;
        (_device, _stage, _arena) = (model.Device, model.Stage, arena);
        Positions = positions;
        _rotary = new RotaryTable(config, positions, arena);
        _cache = new KvCache(config, positions, arena);
        bool[] experts = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(config.IsMoeLayer)];
        _activations = new LayerActivations(config, experts.Contains(true), experts.Contains(false), _stage.Dispatcher,
            PrefillChunk, arena);
        _head = new HeadActivations(config, PrefillChunk, arena);
        _idsT = arena.Allocate(DType.I32, PrefillChunk);
        _positionsT = arena.Allocate(DType.I32, PrefillChunk);
        _embeddedTD = arena.Allocate(DType.F32, PrefillChunk, config.HiddenSize);
        _logits1V = arena.Allocate(DType.F32, 1, config.VocabSize);
        _logits = new float[config.VocabSize];
    }

    /// <summary>The model's configuration.</summary>
    public ModelConfig Config => _stage.Config;

    /// <summary>Most tokens of a sequence.</summary>
    public int Positions { get; }

    /// <summary>Tokens run so far.</summary>
    public int Position { get; private set; }

    /// <summary>Bytes that a session of this shape takes besides the model.</summary>
    public static long PlannedBytes(LoadedModel model, int positions)
    {
        ArgumentNullException.ThrowIfNull(model);
        using Arena plan = Arena.Measure();
        _ = new DecodeSession(model, positions, plan);
        return plan.Used;
    }

    /// <summary>Logits after the last token, [V]; the memory is reused by the next <see cref="Run"/>.</summary>
    public ReadOnlySpan<float> Logits => _logits;

    /// <summary>Forgets the sequence.</summary>
    public void Reset() => Position = 0;

    /// <summary>
    /// Runs tokens behind those already run and returns the logits after the last one, [V]; the memory is reused by the
    /// next call.
    /// </summary>
    /// <exception cref="ArgumentException">There is no id, or one that the vocabulary lacks.</exception>
    /// <exception cref="InvalidOperationException">The sequence grows longer than <see cref="Positions"/>.</exception>
    public ReadOnlySpan<float> Run(scoped ReadOnlySpan<int> ids)
    {
        if (ids.IsEmpty)
        {
            throw new ArgumentException("There is no token to run: give at least one.", nameof(ids));
        }

        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_logits.Length)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(ids), id,
                    $"The model has the ids 0 to {_logits.Length - 1}: encode the text with the tokenizer that belongs to it.");
            }
        }

        if (ids.Length > Positions - Position)
        {
            throw new InvalidOperationException(
                $"{Position + ids.Length} tokens do not fit a session of {Positions}: shorten the prompt or ask for fewer tokens.");
        }

        Tensor last = default;
        while (!ids.IsEmpty)
        {
            int count = Math.Min(PrefillChunk, ids.Length);
            last = RunChunk(ids[..count]);
            ids = ids[count..];
        }

        _stage.Head!.Logits(last, _head.First(1), _logits1V);
        _device.Download<float>(_logits1V, _logits);
        return _logits;
    }

    /// <inheritdoc/>
    public void Dispose() => _arena.Dispose();

    private Tensor RunChunk(ReadOnlySpan<int> ids)
    {
        int count = ids.Length;
        for (int t = 0; t < count; t++)
        {
            _positions[t] = Position + t;
        }

        Tensor idsT = _idsT.Slice(0, count), positionsT = _positionsT.Slice(0, count), h = _embeddedTD.Slice(0, count);
        _device.Upload(ids, idsT);
        _device.Upload<int>(_positions.AsSpan(0, count), positionsT);
        _stage.Embed(idsT, h);
        LayerActivations a = _activations.First(count);
        var rows = new CachedRows(positionsT, Position, _rotary);
        for (int layer = 0; layer < _stage.Layers.Length; layer++)
        {
            _stage.Layers[layer].ForwardCached(h, rows, _cache.Layers[layer], a);
            h = a.Output;
        }

        Position += count;
        return h.Slice(count - 1, 1);
    }
}
