using System.Text;
using System.Text.Json;

namespace Lingotto.Planning;

/// <summary>Writes a plan as options or configuration of other programs.</summary>
public static class LayoutExport
{
    /// <summary>Returns the best plan of a result, if other programs can run it.</summary>
    /// <exception cref="PlanException">There is no plan, or no other program can run it.</exception>
    public static Plan Best(PlanResult result)
    {
        if (result.Mixed is not null)
        {
            throw new PlanException(
                "the best plan is on two kinds of devices, which no export supports: leave out --mixed for the best plan on one kind");
        }

        if (result.Ranked.Count == 0)
        {
            throw new PlanException("there is no plan to export: run the same command without --export to see why");
        }

        Plan plan = result.Ranked[0];
        return plan.Work.Exchange == ExchangeRule.EveryStep ? plan : throw new PlanException(
            "the best plan uses time-based sync (EDiT), which no export supports: leave out --sync edit for the best plan without it");
    }

    /// <summary>Returns arguments of Megatron-LM (megatron/training/arguments.py), one per line.</summary>
    /// <exception cref="PlanException">Megatron-LM cannot split the layers as the plan does.</exception>
    public static string Megatron(Plan plan, Workload work)
    {
        Layout layout = plan.Layout;
        List<string> arguments =
        [
            Line($"--tensor-model-parallel-size {layout.Tensor}"),
            Line($"--pipeline-model-parallel-size {layout.Pipeline}"),
            Line($"--context-parallel-size {layout.Context}"),
            Line($"--seq-length {work.SequenceLength}"),
            Line($"--micro-batch-size {layout.MicroBatch}"),
            Line($"--global-batch-size {work.SequencesPerStep}"),
        ];
        if (layout.Tensor > 1 && layout.SplitsSequence)
        {
            arguments.Add("--sequence-parallel");
        }

        AddStages(arguments, work.Model, layout);
        if (work.Model.MoeLayers > 0)
        {
            arguments.Add(Line($"--expert-model-parallel-size {layout.Expert}"));
            arguments.Add(Line($"--expert-tensor-parallel-size {layout.ExpertTensor}"));
            arguments.Add("--moe-token-dispatcher-type alltoall");
        }

        arguments.Add(layout.Zero switch
        {
            ZeroStage.Weights => "--use-torch-fsdp2",
            ZeroStage.None => "# no distributed optimizer",
            _ => "--use-distributed-optimizer --overlap-grad-reduce --overlap-param-gather",
        });
        if (layout.Recompute != Recompute.None)
        {
            arguments.Add(layout.Recompute == Recompute.Full
                ? "--recompute-granularity full --recompute-method uniform --recompute-num-layers 1"
                : work.Model.MoeLayers > 0 ? "--recompute-granularity selective --recompute-modules layernorm moe_act"
                : "--recompute-granularity selective");
        }

        arguments.Add(plan.Precision == Precision.Bf16 ? "--bf16" : "--bf16 --fp8-format e4m3");
        if (layout.Schedule != PipelineSchedule.OneForwardOneBackward)
        {
            arguments.Add("# the zero-bubble schedule of the plan is not in Megatron-LM: expect the bubble of 1F1B");
        }

        return string.Join('\n', arguments) + "\n";
    }

    /// <summary>
    /// Adds the layers of stages. Middle stages are full. If the layers do not divide, the last stage has fewer layers, then the first,
    /// each a multiple of the chunks and at least one per chunk.
    /// </summary>
    private static void AddStages(List<string> arguments, ModelShape model, in Layout layout)
    {
        int stages = layout.Pipeline, chunks = layout.Chunks, full = StageSplit.LayersOfAStage(model, layout);
        if (stages * full == model.Layers)
        {
            if (chunks > 1)
            {
                arguments.Add(Line($"--num-layers-per-virtual-pipeline-stage {full / chunks}"));
            }

            return;
        }

        int last = Math.Max(chunks, model.Layers - (stages - 1) * full), first = model.Layers - (stages - 2) * full - last;
        if (model.Layers % chunks != 0 || first < chunks)
        {
            throw new PlanException(
                $"Megatron-LM cannot split {model.Layers} layers into {stages} stages of {chunks} chunks: "
                + "export with deepspeed or recipe, or plan again with another --max-devices");
        }

        if (first < full)
        {
            arguments.Add(Line($"--decoder-first-pipeline-num-layers {first}"));
        }

        if (last < full)
        {
            arguments.Add(Line($"--decoder-last-pipeline-num-layers {last}"));
        }

        if (chunks > 1)
        {
            arguments.Add(Line($"--num-virtual-stages-per-pipeline-rank {chunks}"));
        }
    }

    /// <summary>
    /// Returns a DeepSpeed configuration (deepspeed.ai, configuration JSON). Parallelism other than ZeRO belongs to the launcher.
    /// </summary>
    public static string DeepSpeed(Plan plan, Workload work) => Json(json =>
    {
        json.WriteNumber("train_batch_size", work.SequencesPerStep);
        json.WriteNumber("train_micro_batch_size_per_gpu", plan.Layout.MicroBatch);
        json.WriteNumber("gradient_accumulation_steps", work.SequencesPerStep / (plan.Layout.MicroBatch * plan.Layout.Data));
        json.WriteStartObject("bf16");
        json.WriteBoolean("enabled", true);
        json.WriteEndObject();
        json.WriteStartObject("zero_optimization");
        json.WriteNumber("stage", (int)plan.Layout.Zero);
        json.WriteBoolean("overlap_comm", true);
        json.WriteEndObject();
        if (plan.Layout.Recompute != Recompute.None)
        {
            json.WriteStartObject("activation_checkpointing");
            json.WriteBoolean("partition_activations", plan.Layout.Tensor > 1);
            json.WriteEndObject();
        }
    });

    /// <summary>Returns a recipe of this program with the same updates and the hourly cost of the fleet.</summary>
    public static string Recipe(Plan plan, Workload work, string currency) => Json(json =>
    {
        int perMicroBatch = plan.Layout.MicroBatch * plan.Layout.Data;
        json.WriteString("model", work.Model.Name);
        json.WriteStartObject("training");
        json.WriteNumber("sequence_length", work.SequenceLength);
        json.WriteNumber("sequences_per_micro_batch", perMicroBatch);
        json.WriteNumber("micro_batches", work.SequencesPerStep / perMicroBatch);
        json.WriteNumber("num_steps", (long)Math.Ceiling(plan.Steps));
        json.WriteEndObject();
        json.WriteStartObject("hardware");
        json.WriteNumber("price_per_hour", plan.PricePerHour * plan.Layout.Devices);
        json.WriteString("currency", currency);
        json.WriteNumber("watts", Math.Round(1000 * Energy.KilowattHours(plan) / (plan.Seconds / 3600)));
        json.WriteEndObject();
    });

    private static string Json(Action<Utf8JsonWriter> write)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.ToArray()) + "\n";
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}
