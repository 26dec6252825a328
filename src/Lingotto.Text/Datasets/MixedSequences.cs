namespace Lingotto.Text;

/// <summary>The training sequences of a data folder, its sources mixed by weight, in an order that needs no state.</summary>
/// <remarks>
/// Each source has a keyed permutation and a count of its own (<see cref="PackedSequences"/>), so a sequence is repeated only
/// after its source was read to the end, however often the weights change. With one source, sample n is sample n of that
/// source.
/// </remarks>
public sealed class MixedSequences
{
    private readonly PackedSequences[] _sources;
    private readonly MixtureOrder? _order;

    /// <summary>Prepares the order.</summary>
    /// <param name="data">An open data folder, disposed after this object.</param>
    /// <param name="sequenceLength">Tokens of a sequence.</param>
    /// <param name="seed">The seed of the order.</param>
    /// <param name="stages">Changes of the weights that the folder was built with; null for none.</param>
    /// <param name="samplesPerStep">Sequences per update; stages are given in updates.</param>
    /// <exception cref="InvalidDataException">
    /// A stage names no source of the folder or leaves nothing to sample from, or a source with a weight is shorter than a sequence.
    /// </exception>
    public MixedSequences(
        TokenDataset data, int sequenceLength, ulong seed, IReadOnlyList<MixtureStage>? stages = null, long samplesPerStep = 1)
    {
        IReadOnlyList<SourceSummary> sources = data.Sources;
        _sources =
        [
            .. sources.Select((source, i) => new PackedSequences(
                data.Train.Part(source.TrainStart, source.TrainTokens), sequenceLength,
                    i == 0 ? seed : seed ^ TextHash.Quick(source.Name))),
        ];
        Sources = [.. sources.Select(source => source.Name)];
        for (int i = 0; i < _sources.Length; i++)
        {
            if (sources[i].Weight > 0 && _sources[i].Count == 0)
            {
                throw new InvalidDataException(
                    $"source {sources[i].Name} has weight {sources[i].Weight} but {sources[i].TrainTokens} tokens, fewer than a sequence "
                        + $"of {sequenceLength}: add text or weigh it 0");
            }
        }

        double[] weights = [.. sources.Select((source, i) => _sources[i].Count == 0 ? 0 : WeightOf(source))];
        if (!weights.Any(weight => weight > 0))
        {
            return;
        }

        _order = new MixtureOrder([(0, weights), .. Later(weights, stages ?? [], samplesPerStep)]);
    }

    /// <summary>Names of the sources.</summary>
    public IReadOnlyList<string> Sources { get; }

    /// <summary>Whole sequences of all sources; 0 when none is as long as a sequence.</summary>
    public long Count => _order is null ? 0 : _sources.Sum(source => source.Count);

    private MixtureOrder Order =>
        _order ?? throw new InvalidOperationException("no source has tokens for a sequence: add text or shorten sequences");

    /// <summary>The source of a sample and its number within the source, from 0.</summary>
    public (string Source, long Number) Locate(long globalSampleIndex)
    {
        (int source, long number) = Order[globalSampleIndex];
        return (Sources[source], number);
    }

    /// <summary>Sample number <paramref name="globalSampleIndex"/>; spans as in <see cref="PackedSequences.Fill"/>.</summary>
    public void Fill(long globalSampleIndex, Span<int> inputs, Span<int> targets, Span<int> documentStarts)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(globalSampleIndex);
        (int source, long number) = Order[globalSampleIndex];
        _sources[source].Fill(number, inputs, targets, documentStarts);
    }

    private static double WeightOf(SourceSummary source) => source.Weight ?? Math.ScaleB(source.TrainTokens, 1 - source.Tier);

    private List<(long, double[])> Later(double[] weights, IReadOnlyList<MixtureStage> stages, long samplesPerStep)
    {
        var later = new List<(long, double[])>();
        long last = -1;
        foreach (MixtureStage stage in stages)
        {
            if (stage.FromStep <= last)
            {
                throw new InvalidDataException(
                    $"the stage from step {stage.FromStep} follows the one from {last}: put stages in rising order");
            }

            last = stage.FromStep;
            weights = [.. weights];
            foreach ((string name, double weight) in stage.Weights)
            {
                weights[IndexOf(name, stage)] = weight;
            }

            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = _sources[i].Count == 0 ? 0 : weights[i];
            }

            if (!weights.Any(weight => weight > 0) || !weights.All(weight => weight >= 0 && double.IsFinite(weight)))
            {
                throw new InvalidDataException(
                    $"the stage from step {stage.FromStep} has no usable weights: give 0 or more, and one above 0");
            }

            later.Add((checked(stage.FromStep * samplesPerStep), weights));
        }

        return later;
    }

    private int IndexOf(string name, MixtureStage stage)
    {
        for (int i = 0; i < Sources.Count; i++)
        {
            if (Sources[i] == name)
            {
                return i;
            }
        }

        throw new InvalidDataException($"the stage from step {stage.FromStep} weighs '{name}': the data has {string.Join(", ", Sources)}");
    }
}
