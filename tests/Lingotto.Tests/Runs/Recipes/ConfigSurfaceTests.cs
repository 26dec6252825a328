using System.Text.Json;
using System.Text.Json.Nodes;
using Lingotto.Runs;
using Xunit;

namespace Lingotto.Tests.Runs;

/// <summary>The keys of a recipe are a promise to users: a new one shows here.</summary>
public class ConfigSurfaceTests
{
    private const string Keys = """
        model
        data.paths
        data.sources
        data.stages
        data.tokenizer
        data.held_out_fraction
        training.sequence_length
        training.rope_theta
        training.sequences_per_micro_batch
        training.micro_batches
        training.mtp_loss
        training.num_steps
        training.minutes
        training.precision
        training.seed
        long_context.after_step
        long_context.sequence_length
        long_context.rope_theta
        optimizer.beta1
        optimizer.beta2
        optimizer.epsilon
        optimizer.weight_decay
        optimizer.embedding_weight_decay
        optimizer.grad_clip
        schedule.learning_rate
        schedule.warmup_steps
        schedule.drop_at
        schedule.drop_factor
        schedule.decay_fraction
        schedule.decay
        schedule.final_fraction
        schedule.batch_warmup_from
        schedule.batch_warmup_tokens
        router.balance_loss
        router.z_loss
        router.warmup_steps
        router.expert_bias_rate
        spikes.deviations
        spikes.window
        spikes.retries
        spikes.learning_rate_factor
        spikes.rollback_after
        checkpoints.every_steps
        checkpoints.keep
        checkpoints.asynchronous
        evaluation.every_steps
        evaluation.sequences
        samples.prompts
        samples.tokens
        samples.temperature
        hardware.price_per_hour
        hardware.currency
        hardware.watts
        """;

    [Fact]
    public void Recipes_have_these_keys_and_no_others() => Assert.Equal(
        Keys.ReplaceLineEndings("\n"), string.Join('\n', RecipeFile.Open("quickstart", RepositoryRoot.Folder, []).Origins.Select(origin => origin.Key)));

    [Fact]
    public void The_schema_describes_every_key()
    {
        JsonNode schema = JsonNode.Parse(RecipeSchema.ToJson(AppContext.BaseDirectory))!;
        foreach (string key in Keys.ReplaceLineEndings("\n").Split('\n'))
        {
            JsonNode property = key.Split('.').Aggregate(schema, (node, name) => node["properties"]![name]!);
            Assert.NotEmpty(property["description"]!.GetValue<string>());
        }

        Assert.Equal("""["model"]""", schema["required"]!.ToJsonString());
        Assert.False(schema["additionalProperties"]!.GetValue<bool>());
        Assert.Equal("""["integer","null"]""", schema["properties"]!["training"]!["properties"]!["num_steps"]!["type"]!.ToJsonString());
        Assert.Equal(0.95, schema["properties"]!["optimizer"]!["properties"]!["beta2"]!["default"]!.GetValue<double>());
    }

    [Fact]
    public void The_schema_is_printed_even_without_the_documentation() =>
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(RecipeSchema.ToJson("/nowhere")).RootElement.ValueKind);
}
