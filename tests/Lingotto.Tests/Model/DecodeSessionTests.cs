using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests.Model;

public sealed class DecodeSessionTests
{
    private const int Positions = 100;

    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void Chunks_do_not_change_the_bits_of_the_logits(string model)
    {
        using var device = new CpuDevice(threads: 2);
        using LoadedModel loaded = Create(device, TinyModels.Of(model));
        using var session = new DecodeSession(loaded, Positions);
        int[] ids = Ids(Positions);
        float[] whole = Run(session, ids, Positions);
        foreach (int[] chunks in new[] { [1, 63, 36], [65, 34, 1], Enumerable.Repeat(1, Positions).ToArray() })
            Assert.Equal(whole, Run(session, ids, chunks));
    }

    [Fact]
    public void A_reset_session_has_forgotten_the_sequence()
    {
        using var device = new CpuDevice(threads: 1);
        using LoadedModel loaded = Create(device, TinyModels.Ling2);
        using var session = new DecodeSession(loaded, Positions);
        int[] ids = Ids(Positions);
        float[] straight = Run(session, ids[..70], 70);
        session.Reset();
        session.Run(ids);
        Assert.Equal(straight, Run(session, ids[..70], 69, 1));
    }

    [Fact]
    public void More_tokens_than_the_session_has_positions_are_refused_and_leave_it_as_it_was()
    {
        using var device = new CpuDevice(threads: 1);
        using LoadedModel loaded = Create(device, TinyModels.Ling1);
        using var session = new DecodeSession(loaded, Positions);
        session.Run(Ids(60));
        InvalidOperationException fault = Assert.Throws<InvalidOperationException>(() => { session.Run(Ids(41)); });
        Assert.Contains("101 tokens do not fit a session of 100", fault.Message, StringComparison.Ordinal);
        Assert.Equal(60, session.Position);
        Assert.Throws<ArgumentException>(() => { session.Run([]); });
        ArgumentOutOfRangeException unknown = Assert.Throws<ArgumentOutOfRangeException>(() => { session.Run([0, TinyModels.Ling1.VocabSize]); });
        Assert.Contains($"the ids 0 to {TinyModels.Ling1.VocabSize - 1}", unknown.Message, StringComparison.Ordinal);
        Assert.Equal(60, session.Position);
    }

    [Fact]
    public void Two_sessions_of_one_model_give_the_logits_of_one_alone()
    {
        using var device = new CpuDevice(threads: 1);
        using LoadedModel loaded = Create(device, TinyModels.Ling2);
        using DecodeSession first = new(loaded, Positions), second = new(loaded, Positions);
        int[] ids = Ids(20), others = [.. Ids(20).Reverse()];
        float[] alone = Run(first, ids, 20);
        first.Reset();
        for (int t = 0; t < ids.Length; t++)
        {
            first.Run([ids[t]]);
            second.Run([others[t]]);
        }

        Assert.Equal(alone, first.Logits.ToArray());
    }

    [Fact]
    public void The_plan_is_the_memory_taken()
    {
        using var device = new CpuDevice(threads: 1);
        using var model = new LoadedModel(device, TinyModels.Ling1);
        long plan = DecodeSession.PlannedBytes(model, Positions), longer = DecodeSession.PlannedBytes(model, 2 * Positions);
        ModelConfig c = TinyModels.Ling1;
        long cacheOfPosition = c.NumHiddenLayers * 2 * c.NumKeyValueHeads * c.HeadDim * sizeof(float), table = c.RotaryDim * sizeof(float);
        Assert.Equal(Positions * (cacheOfPosition + table), longer - plan);
    }

    private static LoadedModel Create(Device device, ModelConfig config)
    {
        var model = new LoadedModel(device, config);
        model.Initialize(seed: 5);
        model.RefreshWeights();
        return model;
    }

    private static int[] Ids(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 37 + i / 5) % TinyModels.Ling1.VocabSize)];

    private static float[] Run(DecodeSession session, int[] ids, params int[] chunks)
    {
        session.Reset();
        float[] logits = [];
        int first = 0;
        foreach (int chunk in chunks)
        {
            logits = session.Run(ids.AsSpan(first, chunk)).ToArray();
            first += chunk;
        }

        return logits;
    }
}
