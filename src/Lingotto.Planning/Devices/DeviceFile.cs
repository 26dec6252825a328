using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace Lingotto.Planning;

/// <summary>Reads and writes devices/NAME.json: strict, snake_case, comments allowed. A fault is one line with file and key.</summary>
internal static partial class DeviceFile
{
    public static DeviceSpec Read(string path)
    {
        try
        {
            DeviceSpec device = JsonSerializer.Deserialize(File.ReadAllBytes(path), DeviceJson.Default.DeviceSpec)
                ?? throw new PlanException($"{path}: holds null: describe a device as the other files of its folder do");
            Check(device, path);
            return device;
        }
        catch (JsonException fault) when (MissingKeys().Match(fault.Message) is { Success: true } missing)
        {
            string where = fault.Path is null or "$" ? "" : $" in {fault.Path}";
            string keys = missing.Groups[1].Value.Replace("'", "", StringComparison.Ordinal);
            throw new PlanException($"{path}: {keys} is missing{where}: add it as in another file of the folder", fault);
        }
        catch (JsonException fault)
        {
            string where = fault.Path is null ? "" : $", key {fault.Path}";
            throw new PlanException(
                $"{path}: line {fault.LineNumber + 1}{where} is not understood: compare it with another file of the folder", fault);
        }
    }

    public static byte[] ToJson(DeviceSpec device) => JsonSerializer.SerializeToUtf8Bytes(device, DeviceJson.Default.DeviceSpec);

    private static void Check(DeviceSpec device, string path)
    {
        if (Path.GetFileNameWithoutExtension(path) is var name && name != device.Name)
        {
            throw new PlanException(
                $"{path}: its name is \"{device.Name}\": rename the file to {device.Name}.json, or the device to {name}");
        }

        foreach ((string key, DeviceFigure figure) in Figures(device))
        {
            CheckFigure(key, figure, path);
        }

        if (device.MeasuredMatmulTflops.Value > device.Bf16Tflops.Value)
        {
            throw new PlanException(FormattableString.Invariant(
                $"{path}: measured_matmul_tflops ({device.MeasuredMatmulTflops.Value}) is above the peak, ")
                + FormattableString.Invariant($"bf16_tflops ({device.Bf16Tflops.Value}): correct one of them"));
        }

        foreach (DevicePrice price in device.Prices)
        {
            if (price.PerHour is not (> 0 and < 1e6) || price.Low > price.PerHour || price.High < price.PerHour)
            {
                throw new PlanException($"{path}: prices: give low <= per_hour <= high, above 0");
            }
        }

        CheckTraining(device, path);
    }

    private static void CheckFigure(string key, DeviceFigure figure, string path)
    {
        if (figure.Value is null != (figure.Confidence == Confidence.Unknown))
        {
            throw new PlanException($"{path}: {key}: a value needs a confidence of low, medium or high; without a value it is \"unknown\"");
        }

        if (figure.Value is not null && (figure.Source is null || figure.Date is null))
        {
            throw new PlanException($"{path}: {key}: add source and date");
        }

        if (figure.Value == 0 && key != "fp8_tflops") // 0 means no FP8
        {
            throw new PlanException($"{path}: {key} is 0: give a value above 0, or leave it out with \"confidence\": \"unknown\"");
        }

        if (figure.Value is not (null or >= 0 and < 1e9) || figure.Low > figure.Value || figure.High < figure.Value)
        {
            throw new PlanException($"{path}: {key}: give low <= value <= high, 0 or more and below 1e9");
        }
    }

    /// <summary>Refuses measured rates of 0. A rate above the peak is refused if the step was measured in the format of the peak.</summary>
    private static void CheckTraining(DeviceSpec device, string path)
    {
        if (device.Training is not { } training)
        {
            return;
        }

        foreach ((string key, double? rate) in Rates(training))
        {
            if (rate is not (null or (> 0 and < double.PositiveInfinity)))
            {
                throw new PlanException($"{path}: training.{key} must be above 0: measure again with lingotto bench --device-file");
            }
        }

        if (1e12 * device.Bf16Tflops.Value is { } peak && Math.Max(training.MatmulFlops, training.AttentionFlops) > 1.001 * peak)
        {
            string key = training.MatmulFlops > training.AttentionFlops ? "matmul_flops" : "attention_flops";
            throw new PlanException(
                $"{path}: training.{key} is above the peak, bf16_tflops: measure again with lingotto bench --device-file");
        }
    }

    private static IEnumerable<(string Key, double? Rate)> Rates(MeasuredTraining training) =>
    [
        ("matmul_flops", training.MatmulFlops), ("matmul_bytes", training.MatmulBytes), ("attention_flops", training.AttentionFlops),
        ("attention_channels", training.AttentionChannels), ("elementwise_bytes", training.ElementwiseBytes),
        ("optimizer_parameters", training.OptimizerParameters),
    ];

    private static IEnumerable<(string Key, DeviceFigure Figure)> Figures(DeviceSpec device) =>
    [
        ("bf16_tflops", device.Bf16Tflops), ("fp8_tflops", device.Fp8Tflops), ("measured_matmul_tflops", device.MeasuredMatmulTflops),
        ("memory_gb", device.MemoryGb), ("memory_gbs", device.MemoryGbs), ("intra_node_gbs", device.IntraNodeGbs),
        ("node_devices", device.NodeDevices), ("inter_node_gbs", device.InterNodeGbs), ("tdp_watts", device.TdpWatts),
        ("failures_per_device_hour", device.FailuresPerDeviceHour),
    ];

    /// <summary>Finds the missing keys in the message of System.Text.Json.</summary>
    [GeneratedRegex(@"missing required properties including: ('[^.]*')")]
    private static partial Regex MissingKeys();
}

/// <summary>JSON of a device.</summary>
[JsonSerializable(typeof(DeviceSpec))]
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true,
    ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false)]
internal sealed partial class DeviceJson : JsonSerializerContext;
