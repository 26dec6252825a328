namespace Lingotto.Formats;

/// <summary>Compares the sizes that a config.json states with the tensors of its files, before memory is allocated for them.</summary>
public static class WeightSizes
{
    /// <summary>Checks that every size of the config is the size of a tensor, and that the files have enough elements for all.</summary>
    /// <param name="config">The config, whose values are already valid one by one.</param>
    /// <param name="model">The weights; only their names and shapes are read.</param>
    /// <param name="source">The config.json, for messages.</param>
    /// <exception cref="ModelConfigException">Names the keys whose values do not belong to the files.</exception>
    public static void Require(ModelConfig config, SafetensorsModel model, string source)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(model);
        var dimensions = new HashSet<long>();
        long elements = 0;
        foreach (TensorEntry tensor in model.Tensors)
        {
            dimensions.UnionWith(tensor.Shape);
            elements += tensor.Shape.Aggregate(1L, (product, dimension) => checked(product * dimension));
        }

        List<string> faults =
        [
            .. SizesOf(config).Where(size => size.Value > 0 && !dimensions.Contains(size.Value))
                .Select(size => $"{size.Key} is {size.Value}: no tensor of the weights has this size; use the config.json of these "
                    + "weights"),
        ];
        if (model.Names.Any(name => name.EndsWith("mlp.experts.gate_up_proj", StringComparison.Ordinal)))
        {
            faults.Add("experts are fused into one tensor (mlp.experts.gate_up_proj), as transformers 5 saves them: save one tensor for each expert");
        }
        else if (!config.TieWordEmbeddings && !model.TryGet("lm_head.weight", out _, out _))
        {
            faults.Add("lm_head.weight is missing: a head that is tied to the embedding (tie_word_embeddings) is not run yet");
        }

        long stated = config.Counts.TotalParameters;
        if (faults.Count == 0 && stated > elements)
        {
            faults.Add(
                $"the sizes give {stated} parameters and the weights have {elements}: a tensor is missing, or num_hidden_layers "
                    + $"({config.NumHiddenLayers}) is too large; use the config.json of these weights");
        }

        if (faults.Count > 0)
        {
            throw new ModelConfigException(source, faults);
        }
    }

    private static IEnumerable<(string Key, long Value)> SizesOf(ModelConfig config)
    {
        bool hasExperts = Enumerable.Range(0, config.NumHiddenLayers).Any(config.IsMoeLayer);
        yield return ("vocab_size", config.VocabSize);
        yield return ("hidden_size", config.HiddenSize);
        if (Enumerable.Range(0, config.NumHiddenLayers).Any(layer => !config.IsMoeLayer(layer)))
        {
            yield return ("intermediate_size", config.IntermediateSize);
        }

        if (hasExperts)
        {
            yield return ("num_experts", config.NumExperts);
            yield return ("moe_intermediate_size", config.MoeIntermediateSize);
            yield return ("shared_expert_intermediate_size", config.SharedExpertIntermediateSize);
        }
    }
}
