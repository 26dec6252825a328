using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>The tokens of each expert over some steps, as an expert_load line has them.</summary>
internal sealed record ExpertLoad(long Step, long Steps, IReadOnlyList<LayerLoad> Layers)
{
    public int DeadExperts => Layers.Sum(layer => layer.Dead);

    public int Experts => Layers.Sum(layer => layer.Shares.Length);

    /// <summary>Null where the line is not one of loads.</summary>
    public static ExpertLoad? TryParse(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            using JsonDocument json = JsonDocument.ParseValue(ref reader);
            LayerLoad[] layers = [.. json.RootElement.GetProperty("load").EnumerateArray().Select(LayerLoad.Of)];
            return layers.Length == 0 || layers.Any(layer => layer.Shares.Length == 0) ? null
                : new ExpertLoad(json.RootElement.GetProperty("step").GetInt64(), json.RootElement.GetProperty("steps").GetInt64(), layers);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }
}

/// <summary>The experts of a layer.</summary>
/// <param name="Shares">Tokens over the even share, 1 when even.</param>
/// <param name="Entropy">Of the distribution, over that of an even one: 1 when even, 0 when one expert has all.</param>
/// <param name="Dead">Experts with less than a hundredth of the even share.</param>
internal sealed record LayerLoad(double[] Shares, double Entropy, int Dead)
{
    private const double DeadBelow = 0.01;

    public static LayerLoad Of(JsonElement tokens)
    {
        double[] load = [.. tokens.EnumerateArray().Select(expert => expert.GetDouble())];
        double sum = load.Sum();
        double[] shares = [.. load.Select(expert => sum > 0 ? expert * load.Length / sum : 0)];
        double entropy = Math.Abs(load.Where(expert => expert > 0).Sum(expert => expert / sum * Math.Log(expert / sum)));
        return new LayerLoad(shares, load.Length > 1 ? entropy / Math.Log(load.Length) : 1, shares.Count(share => share < DeadBelow));
    }
}
