using System.Text.Json.Nodes;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Model;
using Lingotto.Tests.Text;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public sealed class CheckpointStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CpuDevice _device = new(threads: 1);
    private readonly TrainableDecoder _decoder;
    private readonly AdamWOptimizer _optimizer;
    private readonly CheckpointStore _store;
    private readonly List<string> _warnings = [];

    public CheckpointStoreTests()
    {
        _decoder = new TrainableDecoder(_device, TinyModels.Ling2 with { VocabSize = 400 }, sequences: 1, sequenceLength: 8);
        _optimizer = new AdamWOptimizer(_device, new OptimizerConfig(), _decoder.Blocks);
        _store = new CheckpointStore(_folder.File("checkpoints"), _device);
        TinyModels.Initialize(_device, _decoder);
        FillMoments();
    }

    [Fact]
    public void Loading_gives_the_saved_bits_of_weights_moments_and_state()
    {
        var state = new TrainerState(7, 700, 1.25, 5, 9);
        float[][] saved = Values();
        Save(state);
        Clear();
        Assert.NotEqual(saved, Values());
        Assert.Equal(state, Restore());
        Assert.Equal(saved, Values());
    }

    [Fact]
    public void A_save_that_fails_leaves_the_previous_checkpoint_and_nothing_else()
    {
        string previous = Save(step: 1);
        CheckpointContent content = Content() with { Texts = [(Path.Combine("no such folder", "file"), [])] };
        Assert.Throws<DirectoryNotFoundException>(() => _store.Save(new TrainerState(2, 0, 0, null, null), content, new LiveTensors(_device), keep: 2));
        Assert.Equal(1, Restore()!.Step);
        Assert.Equal([previous], Directory.GetDirectories(_folder.File("checkpoints")));
    }

    [Fact]
    public void A_checkpoint_names_the_end_of_text_of_its_own_tokenizer_for_other_programs()
    {
        string checkpoint = Save(step: 1);
        int endOfText = TestTokenizers.Small.EndOfTextId;
        JsonNode config = Json("config.json"), generation = Json("generation_config.json"), tokenizer = Json("tokenizer_config.json");
        Assert.Equal(endOfText, (int)config["eos_token_id"]!);
        Assert.Equal("float32", (string)config["torch_dtype"]!);
        Assert.Equal((endOfText, endOfText), ((int)generation["eos_token_id"]!, (int)generation["pad_token_id"]!));
        Assert.Equal(("<|endoftext|>", "PreTrainedTokenizerFast"), ((string)tokenizer["eos_token"]!, (string)tokenizer["tokenizer_class"]!));

        JsonNode Json(string name) => JsonNode.Parse(File.ReadAllText(Path.Combine(checkpoint, name)))!;
    }

    [Fact]
    public void Only_the_newest_are_kept()
    {
        string[] saved = [.. new long[] { 1, 2, 10 }.Select(step => Save(step))];
        Assert.Equal(saved[1..], Directory.GetDirectories(_folder.File("checkpoints")).Order(StringComparer.Ordinal));
    }

    /// <summary>As when the newest is damaged and its owner points "latest" at the one before.</summary>
    [Fact]
    public void Going_back_to_an_earlier_checkpoint_replaces_the_later_ones()
    {
        string earlier = Save(step: 1), damaged = Save(step: 3);
        File.WriteAllText(Path.Combine(damaged, "model.safetensors"), "damaged");
        DurablePointer.Write(_folder.File("checkpoints"), Path.GetFileName(earlier));
        string next = Save(step: 2);
        Assert.True(Directory.Exists(earlier));
        Assert.Equal(damaged, Save(step: 3));
        Assert.Equal(3, _store.Load(damaged, _decoder, _optimizer).Step);
        Assert.True(Directory.Exists(next));
    }

    [Fact]
    public void Where_room_is_short_the_oldest_goes_before_its_time()
    {
        string folder = _folder.File("checkpoints");
        Save(step: 1);
        var store = new CheckpointStore(folder, _device, new SmallDisk(folder, 5 * SizeOf(folder) / 2));
        string[] saved = [.. new long[] { 2, 3, 4 }.Select(step => Save(StateAt(step), store, keep: 3))];
        Assert.Equal(saved[1..], Directory.GetDirectories(folder).Order(StringComparer.Ordinal));
        Assert.Equal(4, Restore()!.Step);
    }

    [Fact]
    public void A_run_needs_room_for_two_checkpoints_and_those_it_has_count()
    {
        string folder = _folder.File("checkpoints");
        CheckpointContent content = Content();
        Directory.CreateDirectory(folder);
        DurableFolderException fault = Assert.Throws<DurableFolderException>(
            () => new CheckpointStore(folder, _device, new SmallDisk(folder, 2 * content.Bytes)).RequireRoom(content));
        Assert.Contains("free space", fault.Message, StringComparison.Ordinal);
        Save(step: 1);
        Save(step: 2);
        new CheckpointStore(folder, _device, new SmallDisk(folder, SizeOf(folder))).RequireRoom(content);
    }

    [Fact]
    public void A_divergence_goes_back_to_where_an_unbroken_run_would_have_saved()
    {
        string regular = Save(StateAt(10), _store, keep: 1), stopped = Save(StateAt(13) with { IsUnscheduled = true }, _store, keep: 1);
        Assert.Equal([regular, stopped], Directory.GetDirectories(_folder.File("checkpoints")).Order(StringComparer.Ordinal));
        Assert.Equal(13, Restore()!.Step);
        Assert.Equal(10, _store.RollBack(_decoder, _optimizer, _warnings.Add)!.Step);
        Assert.Equal(10, Restore()!.Step);
        Assert.Equal([regular], Directory.GetDirectories(_folder.File("checkpoints")));
        Assert.Equal([Save(StateAt(20), _store, keep: 1)], Directory.GetDirectories(_folder.File("checkpoints")));
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _decoder.Dispose();
        _device.Dispose();
        _folder.Dispose();
    }

    private static long SizeOf(string folder) => new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);

    private static TrainerState StateAt(long step) => new(step, step, step, null, null);

    private string Save(long step) => Save(StateAt(step));

    private string Save(TrainerState state) => Save(state, _store, keep: 2);

    private string Save(TrainerState state, CheckpointStore store, int keep) =>
        store.Save(state, Content(), new LiveTensors(_device), keep);

    private TrainerState? Restore() => _store.Restore(_decoder, _optimizer, _warnings.Add);

    private IEnumerable<Tensor> All() =>
        WeightFiles.Enumerate(_decoder.Config, _decoder.Blocks).Concat(_optimizer.State()).Select(tensor => tensor.Value);

    private float[][] Values() => [.. All().Select(tensor => TinyModels.Download(_device, tensor))];

    private void Clear()
    {
        foreach (Tensor tensor in All())
            _device.Fill(tensor, 0);
    }

    private void FillMoments()
    {
        float value = 0.1f;
        foreach (NamedTensor tensor in _optimizer.State().Where(tensor => tensor.Name.StartsWith("exp_avg", StringComparison.Ordinal)))
            _device.Fill(tensor.Value, value += 0.1f);
    }

    private CheckpointContent Content() => CheckpointContent.Of(_decoder, _optimizer, TestTokenizers.Small);
}
