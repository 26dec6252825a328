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
    private readonly DecoderMemory _memory;
    private readonly DecoderStack _stack;
    private readonly KvCache _cache;
    private readonly LayerActivations _activations;
    private readonly HeadActivations _head;
    private readonly Tensor _idsT;
    private readonly Tensor _positionsT;
    private readonly Tensor _embeddedTD;
    private readonly Tensor _logits1V;
    private readonly int[] _positions = new int[PrefillChunk];
    private readonly float[] _logits;

    /// <summary>A session for up to <paramref name="positions"/> tokens, prompt included, with zeroed weights.</summary>
    /// <exception cref="ModelConfigException">The model is not run yet.</exception>
    /// <exception cref="OutOfDeviceMemoryException">It does not fit.</exception>
    public DecodeSession(Device device, ModelConfig config, int positions)
        : this(device, config, positions, DecoderMemory.Allocate(device, Plan(device, config, positions)))
    {
        _stack.UploadConstants();
    }

    private DecodeSession(Device device, ModelConfig config, int positions, DecoderMemory memory)
    {
        DecoderSupport.Require(config);
        _device = device;
        _memory = memory;
        Positions = positions;
        _stack = new DecoderStack(device, config, positions, positions, memory);
        Arena arena = memory.Activations;
        _cache = new KvCache(config, positions, arena);
        bool[] experts = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(config.IsMoeLayer)];
        _activations = new LayerActivations(config, experts.Contains(true), experts.Contains(false), PrefillChunk, arena);
        _head = new HeadActivations(config, PrefillChunk, arena);
        _idsT = arena.Allocate(DType.I32, PrefillChunk);
        _positionsT = arena.Allocate(DType.I32, PrefillChunk);
        _embeddedTD = arena.Allocate(DType.F32, PrefillChunk, config.HiddenSize);
        _logits1V = arena.Allocate(DType.F32, 1, config.VocabSize);
        _logits = new float[config.VocabSize];
    }

    /// <summary>The model.</summary>
    public ModelConfig Config => _stack.Config;

    /// <summary>Most tokens of a sequence.</summary>
    public int Positions { get; }

    /// <summary>Tokens run so far.</summary>
    public int Position { get; private set; }

    /// <summary>Every parameter, in global order.</summary>
    public IReadOnlyList<ParameterBlock> Blocks => _stack.Blocks;

    /// <summary>The memory a session of this shape takes, without taking it.</summary>
    public static DecoderMemory Plan(Device device, ModelConfig config, int positions)
    {
        DecoderMemory plan = DecoderMemory.Measure(trained: false);
        _ = new DecodeSession(device, config, positions, plan);
        return plan;
    }

    /// <summary>Brings prepared weights up to date; once after loading.</summary>
    public void RefreshWeights() => _stack.RefreshWeights();

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
                    nameof(ids), id, $"The model has the ids 0 to {_logits.Length - 1}: encode the text with the tokenizer that belongs to it.");
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

        _stack.Head.Logits(last, _head.First(1), _logits1V);
        _device.Download<float>(_logits1V, _logits);
        return _logits;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

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
        _stack.Embed(idsT, h);
        LayerActivations a = _activations.First(count);
        for (int layer = 0; layer < _stack.Layers.Length; layer++)
        {
            _stack.Layers[layer].ForwardCached(h, positionsT, _cache.Layers[layer], Position, a);
            h = a.Output;
        }

        Position += count;
        return h.Slice(count - 1, 1);
    }
}
