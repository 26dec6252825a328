using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests.Model;

/// <summary>The seams of the decoder, each with a second implementation that gives the bits of the first.</summary>
public class DecoderStageTests
{
    private const int Sequences = TinyBatch.Sequences, Length = TinyBatch.SequenceLength;

    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void Experts_split_over_two_ranks_give_the_bits_of_one(string model)
    {
        ModelConfig config = TinyModels.Of(model);
        Dictionary<string, float[]> expected = OneStage(config);
        int half = config.NumExperts / 2;
        Dictionary<string, float[]>[] actual = ThreadRanks.Run((ranks, rank) =>
        {
            using var device = new CpuDevice(threads: 1);
            using var part = new Part(
                device, config, new ModelOptions { IsTrained = true, Experts = (rank * half, half) },
                new SplitExpertDispatcher(device, ranks, rank, rank * half, half), firstExpert: rank * half);
            part.Fill(seed: 3);
            part.Stage.Forward(part.Activations, Router(0));
            part.Stage.Backward(part.Activations, Router(0), 0.03f, 0, part.Buffers);
            return part.Readings("mb0.");
        });
        foreach ((string name, float[] values) in expected)
        {
            bool isExpert = name.Contains(".experts.", StringComparison.Ordinal);
            Assert.True(actual.Count(rank => rank.ContainsKey(name)) == (isExpert ? 1 : 2), $"{name} is on the wrong ranks");
            Assert.All(actual.Where(rank => rank.ContainsKey(name)), rank => Assert.Equal(values, rank[name]));
        }
    }

    [Theory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    public void Two_pipeline_stages_with_two_micro_batches_in_flight_give_the_bits_of_one_stage(string model)
    {
        ModelConfig config = TinyModels.Of(model);
        Dictionary<string, float[]> expected = OneStage(config, microBatches: 2);
        using var device = new CpuDevice(threads: 1);
        using var first = new Part(device, config, new ModelOptions { IsTrained = true, Layers = (0, 1) }, sets: 2);
        using var last = new Part(device, config, new ModelOptions { IsTrained = true, Layers = (1, config.NumHiddenLayers) }, sets: 2);

        // 1F1B: the first stage is one micro-batch ahead.
        Forward(0);
        Forward(1);
        Backward(0);
        Backward(1);

        Dictionary<string, float[]> actual = new(first.Readings("").Concat(last.Readings("")));
        foreach ((string name, float[] values) in expected.Where(reading => !reading.Key.StartsWith("mb", StringComparison.Ordinal)))
        {
            Assert.Equal(values, actual[name]);
        }

        Assert.Equal(expected["mb1.loss"], last.Download(last.Sets[1].Head!.Loss));

        void Forward(int micro)
        {
            first.Fill(seed: 3 + micro, micro);
            last.Fill(seed: 3 + micro, micro);
            first.Stage.Forward(first.Sets[micro], Router(micro));
            device.Copy(first.Sets[micro].Output, last.Sets[micro].Input);
            last.Stage.Forward(last.Sets[micro], Router(micro));
        }

        void Backward(int micro)
        {
            last.Stage.Backward(last.Sets[micro], Router(micro), 0.03f, 0, last.Buffers);
            device.Copy(last.Buffers.GradResidual, first.Buffers.GradResidual);
            first.Stage.Backward(first.Sets[micro], Router(micro), 0.03f, 0, first.Buffers);
        }
    }

    [Fact]
    public void A_stage_without_the_embedding_refuses_the_MTP_layer()
    {
        using var device = new CpuDevice(threads: 1);
        var options = new ModelOptions { IsTrained = true, Layers = (1, TinyModels.Ling2Mtp.NumHiddenLayers) };
        NotSupportedException fault = Assert.Throws<NotSupportedException>(
            () => LoadedModel.Measure(device, TinyModels.Ling2Mtp, options, out _));
        Assert.Contains("train this model in one stage", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parameters_sharded_in_halves_and_gathered_before_use_train_to_the_bits_of_whole_ones()
    {
        using var device = new CpuDevice(threads: 1);
        using var halves = new HalvedStorage(device);
        using var whole = new Part(device, TinyModels.Ling2, new ModelOptions { IsTrained = true });
        using var sharded = new Part(device, TinyModels.Ling2, new ModelOptions { IsTrained = true, Storage = halves });
        halves.Scatter(sharded.Stage.Blocks);
        for (int step = 1; step <= 3; step++)
        {
            foreach (Part part in new[] { whole, sharded })
            {
                part.Fill(seed: 3);
                part.Stage.Forward(part.Activations, Router(0));
                part.Stage.Backward(part.Activations, Router(0), 0.03f, 0, part.Buffers);
            }

            var adamW = new AdamWStep(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, step, 1);
            foreach (ParameterBlock block in whole.Stage.Blocks)
            {
                halves.UpdateWhole(block, adamW);
            }

            foreach (ParameterBlock block in sharded.Stage.Blocks)
            {
                halves.UpdateHalves(block, adamW);
            }

            whole.Stage.RefreshWeights();
            sharded.Stage.RefreshWeights();
        }

        Assert.Equal(halves.Blocks, halves.Gathered.Count);
        foreach ((ParameterBlock expected, ParameterBlock actual) in whole.Stage.Blocks.Zip(sharded.Stage.Blocks))
        {
            Assert.Equal(whole.Download(expected.Values), sharded.Download(actual.Values));
        }
    }

    [Fact]
    public void A_frozen_parameter_has_no_gradient_and_comes_after_the_trained_ones()
    {
        var layout = new ParameterLayout(
            "layers.0", [new("a", [3]), new("frozen", [40], IsTrained: false), new("norm", [2], ParameterRole.Norm), new("bias", [5], ParameterRole.Buffer)],
            isTrained: true);
        Assert.Equal(["a", "norm", "frozen", "bias"], layout.Places.Select(place => place.Declaration.Name));
        Assert.Equal([true, true, false, false], layout.Places.Select(place => place.IsTrained));
        Assert.Equal((16, 32, 96), (layout.MatrixLength, layout.TrainedLength, layout.Length));
    }

    private static RouterTraining Router(int micro) => new(0.02f, 0.01f, 1, micro == 0 ? 1 : 0.01f, default, 1, micro * 1000);

    private static Dictionary<string, float[]> OneStage(ModelConfig config, int microBatches = 1)
    {
        using var device = new CpuDevice(threads: 1);
        using var part = new Part(device, config, new ModelOptions { IsTrained = true });
        var readings = new Dictionary<string, float[]>();
        for (int micro = 0; micro < microBatches; micro++)
        {
            part.Fill(seed: 3 + micro);
            part.Stage.Forward(part.Activations, Router(micro));
            part.Stage.Backward(part.Activations, Router(micro), 0.03f, 0, part.Buffers);
            foreach ((string name, float[] values) in part.Readings($"mb{micro}."))
            {
                readings[name] = values;
            }
        }

        return readings;
    }

    /// <summary>A stage with its memory and one activation set for each micro-batch in flight.</summary>
    private sealed class Part : IDisposable
    {
        private readonly Device _device;
        private readonly ModelConfig _config;
        private readonly ModelMemory _memory;
        private readonly Arena _arena;
        private readonly int _firstExpert;

        public Part(
            Device device, ModelConfig config, ModelOptions options, ITokenDispatcher? dispatcher = null, int sets = 1, int firstExpert = 0)
        {
            (_device, _config, _firstExpert) = (device, config, firstExpert);
            using ModelMemory plan = LoadedModel.Measure(device, config, options, out DecoderStage shape);
            _memory = ModelMemory.Allocate(device, plan);
            Stage = new DecoderStage(device, config, _memory, dispatcher);
            using Arena measured = Arena.Measure();
            Allocate(measured, sets);
            _arena = new Arena(device, measured.Used);
            Allocate(_arena, sets);
            foreach (StageActivations set in Sets)
            {
                set.UploadConstants(device);
            }

            Initialize();
            Stage.RefreshWeights();
        }

        public DecoderStage Stage { get; }

        public StageActivations[] Sets { get; private set; } = [];

        public StageActivations Activations => Sets[0];

        public BackwardBuffers Buffers { get; private set; } = null!;

        public void Fill(int seed, int set = 0)
        {
            var batch = new TinyBatch(_config.VocabSize, seed);
            Sets[set].Batch.Upload(_device, batch.Ids, batch.Targets, batch.DocumentStarts);
        }

        public float[] Download(Tensor tensor) => TinyModels.Download(_device, tensor);

        /// <summary>Gradients by checkpoint name; output and loss under the prefix.</summary>
        public Dictionary<string, float[]> Readings(string prefix)
        {
            var readings = HuggingFaceNames.Gradients(_config, Stage.Blocks, _firstExpert).ToDictionary(named => named.Name, named => Download(named.Value));
            if (prefix.Length > 0)
            {
                readings[prefix + "output"] = Download(Activations.Output);
                readings[prefix + "loss"] = Download(Activations.Head!.Loss);
            }

            return readings;
        }

        public void Dispose()
        {
            _arena.Dispose();
            _memory.Dispose();
        }

        private void Allocate(Arena arena, int sets)
        {
            Buffers = new BackwardBuffers(_config, Sequences * Length, arena, DType.F32);
            Sets = [.. Enumerable.Range(0, sets).Select(_ => new StageActivations(Stage, Sequences, Length, arena, Buffers.GradQkv))];
        }

        /// <summary>Weights that are a function of the checkpoint name, so that every split of the model has the same.</summary>
        private void Initialize()
        {
            foreach (NamedTensor named in HuggingFaceNames.Of(_config, Stage.Blocks, _firstExpert))
            {
                var random = new Random(named.Name.Aggregate(17, (hash, c) => unchecked(hash * 31 + c)));
                float center = named.Name.Contains("norm", StringComparison.Ordinal) ? 1 : 0;
                _device.Upload<float>(
                    [.. Enumerable.Range(0, (int)named.Value.Length).Select(_ => center + 0.4f * (random.NextSingle() - 0.5f))], named.Value);
            }
        }
    }
}
