using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>The figures of a line of metrics.jsonl; what a line does not have is NaN, 0 or null.</summary>
internal struct MetricsLine()
{
    public string Kind = "";
    public long Step = -1, Tokens;
    public double Loss = double.NaN, BitsPerByte = double.NaN, LearningRate = double.NaN, GradNorm = double.NaN, BalanceLoss = double.NaN,
        ZLoss = double.NaN, MtpLoss = double.NaN, TokensPerSecond = double.NaN, FractionOfPeak = double.NaN, MaxExpertLoad = double.NaN,
        ElapsedSeconds = double.NaN, ResidentBytes = double.NaN;
    public double? Time, Cost, CostPerTrillionTokens, KilowattHours;
    public bool Skipped, Complete;

    /// <summary>Seconds of a step, given the tokens seen before it.</summary>
    public readonly double Seconds(long tokensBefore) => TokensPerSecond > 0 ? Math.Max(0, Tokens - tokensBefore) / TokensPerSecond : 0;

    /// <summary>Null for what is no line of metrics: cut short by a crash, or damaged.</summary>
    public static MetricsLine? TryParse(ReadOnlySpan<byte> line)
    {
        var parsed = new MetricsLine();
        try
        {
            var reader = new Utf8JsonReader(line);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                parsed.ReadProperty(ref reader);
            }

            return parsed.Kind.Length > 0 && parsed.Step >= 0 && !reader.Read() ? parsed : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private void ReadProperty(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("kind"u8))
        {
            reader.Read();
            Kind = reader.ValueTextEquals("step"u8) ? "step" : reader.GetString() ?? "";
        }
        else if (reader.ValueTextEquals("step"u8))
        {
            reader.Read();
            Step = reader.GetInt64();
        }
        else if (reader.ValueTextEquals("tokens"u8))
        {
            reader.Read();
            Tokens = reader.GetInt64();
        }
        else if (reader.ValueTextEquals("skipped"u8))
        {
            reader.Read();
            Skipped = reader.GetBoolean();
        }
        else if (reader.ValueTextEquals("complete"u8))
        {
            reader.Read();
            Complete = reader.GetBoolean();
        }
        else if (!ReadKnown(ref reader, "time"u8, ref Time) && !ReadKnown(ref reader, "cost"u8, ref Cost)
            && !ReadKnown(ref reader, "cost_per_trillion_tokens"u8, ref CostPerTrillionTokens)
            && !ReadKnown(ref reader, "kilowatt_hours"u8, ref KilowattHours) && !ReadCurve(ref reader))
        {
            reader.Read();
            reader.Skip();
        }
    }

    private bool ReadCurve(ref Utf8JsonReader reader) =>
        ReadNumber(ref reader, "loss"u8, ref Loss) || ReadNumber(ref reader, "learning_rate"u8, ref LearningRate)
        || ReadNumber(ref reader, "grad_norm"u8, ref GradNorm) || ReadNumber(ref reader, "balance_loss"u8, ref BalanceLoss)
        || ReadNumber(ref reader, "z_loss"u8, ref ZLoss) || ReadNumber(ref reader, "tokens_per_second"u8, ref TokensPerSecond)
        || ReadNumber(ref reader, "fraction_of_peak"u8, ref FractionOfPeak)
        || ReadNumber(ref reader, "max_expert_load"u8, ref MaxExpertLoad)
        || ReadNumber(ref reader, "elapsed_seconds"u8, ref ElapsedSeconds) || ReadNumber(ref reader, "resident_bytes"u8, ref ResidentBytes)
        || ReadNumber(ref reader, "bits_per_byte"u8, ref BitsPerByte) || ReadNumber(ref reader, "mtp_loss"u8, ref MtpLoss);

    private static bool ReadNumber(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, ref double value)
    {
        if (!reader.ValueTextEquals(name))
        {
            return false;
        }

        reader.Read();
        value = reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();
        return true;
    }

    private static bool ReadKnown(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, ref double? value)
    {
        double number = double.NaN;
        if (!ReadNumber(ref reader, name, ref number))
        {
            return false;
        }

        value = double.IsFinite(number) ? number : null;
        return true;
    }
}
