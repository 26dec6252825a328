using Lingotto.Formats;
using Lingotto.Text;

namespace Lingotto.Runs;

/// <summary>A whole run: model, data, schedule, hardware, price. One JSON file; keys are snake_case.</summary>
public sealed record Recipe
{
    /// <summary>A config.json, or the name of one in models/.</summary>
    public required string Model { get; init; }

    /// <summary>Text and how it becomes tokens.</summary>
    public DataConfig Data { get; init; } = new();

    /// <summary>Batches, length of the run, seed.</summary>
    public TrainingConfig Training { get; init; } = new();

    /// <summary>Longer sequences at the end of the run.</summary>
    public LongContextConfig LongContext { get; init; } = new();

    /// <summary>AdamW.</summary>
    public OptimizerConfig Optimizer { get; init; } = new();

    /// <summary>Learning rate over the run.</summary>
    public ScheduleConfig Schedule { get; init; } = new();

    /// <summary>Losses and warmup of the routers.</summary>
    public RouterConfig Router { get; init; } = new();

    /// <summary>What counts as a spike of loss or gradient, and what is done about it.</summary>
    public SpikeConfig Spikes { get; init; } = new();

    /// <summary>When to save and how many to keep.</summary>
    public CheckpointConfig Checkpoints { get; init; } = new();

    /// <summary>When to measure the held-out loss and on how much.</summary>
    public EvaluationConfig Evaluation { get; init; } = new();

    /// <summary>Text written at the end of a run.</summary>
    public SamplesConfig Samples { get; init; } = new();

    /// <summary>What the machine costs.</summary>
    public HardwareConfig Hardware { get; init; } = new();

    /// <summary>The model's file: the one named, or that of this name in the asset folder.</summary>
    internal string ModelPath(string assetFolder)
    {
        string known = Path.Combine(assetFolder, "models", Model + ".json");
        return !File.Exists(Model) && !Directory.Exists(Model) && File.Exists(known) ? known : Model;
    }

    /// <summary>The model as this run trains it.</summary>
    internal ModelConfig LoadModel(string assetFolder)
    {
        var config = ModelConfig.Load(ModelPath(assetFolder));
        return config with
        {
            RopeTheta = Training.RopeTheta ?? config.RopeTheta,
            MaxPositionEmbeddings = Math.Max(config.MaxPositionEmbeddings, Training.SequenceLength),
        };
    }
}

/// <summary>Text and how it becomes tokens.</summary>
public sealed record DataConfig
{
    /// <summary>Files, folders or globs; empty takes the XML documentation that the .NET SDK carries.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    /// <summary>Text in several parts, each with name, paths, weight and quality tier; in place of <see cref="Paths"/>.</summary>
    public IReadOnlyList<DataSource> Sources { get; init; } = [];

    /// <summary>
    /// Changes of the weights during the run: from_step, and weights by name of source. No sample comes again for it; those ahead may be
    /// changed when a run goes on.
    /// </summary>
    public IReadOnlyList<MixtureStage> Stages { get; init; } = [];

    /// <summary>A tokenizer.json to use; absent to train one on the data.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Share of documents kept out of training, 0 to 0.5.</summary>
    public double HeldOutFraction { get; init; } = 0.02;
}

/// <summary>A stage of longer sequences that ends the run, the tokens of an update unchanged (Ling report, 3.4).</summary>
public sealed record LongContextConfig
{
    /// <summary>Updates before the stage; absent for no such stage.</summary>
    public long? AfterStep { get; init; }

    /// <summary>Tokens of a sequence, a multiple of training.sequence_length (Ling report, 3.4: 16K after 4K).</summary>
    public int SequenceLength { get; init; } = 16_384;

    /// <summary>Base of the rotary angles of position (Ling report, 3.4: 600K after 10K).</summary>
    public double RopeTheta { get; init; } = 600_000;
}

/// <summary>AdamW.</summary>
public sealed record OptimizerConfig
{
    /// <summary>Decay of the first moment (Ling report, 3.4).</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment (Ling report, 3.4).</summary>
    public double Beta2 { get; init; } = 0.95;

    /// <summary>Added to the root of the second moment (Ling report, 3.4).</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled decay of matrices but the token embedding (Ling report, 3.4).</summary>
    public double WeightDecay { get; init; } = 0.1;

    /// <summary>
    /// Decoupled decay of the token embedding; 0 for none. A norm follows it, so the gradient of a row grows as the row shrinks: decayed
    /// rows of rare tokens end in spikes (OLMo 2, arXiv 2501.00656, section 3, which leaves them undecayed).
    /// </summary>
    public double EmbeddingWeightDecay { get; init; }

    /// <summary>Largest L2 norm of the whole gradient (Ling report, 3.4).</summary>
    public double GradClip { get; init; } = 1.0;
}

/// <summary>Losses and warmup of the routers.</summary>
public sealed record RouterConfig
{
    /// <summary>Weight of the balance loss, averaged over layers (Ling report, 3.4.1).</summary>
    public double BalanceLoss { get; init; } = 0.015;

    /// <summary>Weight of the z-loss, averaged over layers (Ling report, 3.4.1).</summary>
    public double ZLoss { get; init; } = 1e-4;

    /// <summary>Updates of stochastic routing warmup (Ling report, eq. 3); 0 turns it off.</summary>
    public long WarmupSteps { get; init; } = 100;

    /// <summary>Step of the expert bias, for models that have one (Ling 2.0).</summary>
    public double ExpertBiasRate { get; init; } = 1e-3;
}

/// <summary>When to save and how many to keep.</summary>
public sealed record CheckpointConfig
{
    /// <summary>Updates between saves; 0 saves at the end only.</summary>
    public long EverySteps { get; init; } = 500;

    /// <summary>Newest checkpoints kept; with 1 there is none to go back to when the newest is damaged.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>Write beside the next updates, from a copy of weights and moments in memory; false lets the updates wait instead.</summary>
    public bool Asynchronous { get; init; } = true;
}

/// <summary>When to measure the held-out loss and on how much.</summary>
public sealed record EvaluationConfig
{
    /// <summary>Updates between measurements; 0 measures at the end only.</summary>
    public long EverySteps { get; init; } = 250;

    /// <summary>Held-out sequences of a measurement during the run; the last one uses all.</summary>
    public int Sequences { get; init; } = 64;
}

/// <summary>Text written at the end of a run.</summary>
public sealed record SamplesConfig
{
    /// <summary>Beginnings to continue.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = [];

    /// <summary>Tokens of a continuation.</summary>
    public int Tokens { get; init; } = 100;

    /// <summary>Temperature.</summary>
    public double Temperature { get; init; } = 0.7;
}

/// <summary>What the machine costs.</summary>
public sealed record HardwareConfig
{
    /// <summary>Price of the machine for an hour; absent when unknown, and then no cost is shown.</summary>
    public double? PricePerHour { get; init; }

    /// <summary>Currency of the price, as printed.</summary>
    public string Currency { get; init; } = "EUR";

    /// <summary>Power that the machine draws while it trains; absent when unknown, and then no energy is shown.</summary>
    public double? Watts { get; init; }
}
