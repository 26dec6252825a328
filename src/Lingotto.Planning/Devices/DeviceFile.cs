using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Planning;

/// <summary>devices/NAME.json: strict, snake_case, comments allowed; faults are one line.</summary>
internal static class DeviceFile
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
        catch (JsonException fault)
        {
            string where = fault.Path is null ? "" : $", key {fault.Path}";
            throw new PlanException($"{path}: line {fault.LineNumber + 1}{where} is not understood: compare it with another file of the folder", fault);
        }
    }

    public static byte[] ToJson(DeviceSpec device) => JsonSerializer.SerializeToUtf8Bytes(device, DeviceJson.Default.DeviceSpec);

    private static void Check(DeviceSpec device, string path)
    {
        if (Path.GetFileNameWithoutExtension(path) is var name && name != device.Name)
            throw new PlanException($"{path}: its name is \"{device.Name}\": call the file {device.Name}.json, or the device {name}");
        foreach ((string key, DeviceFigure figure) in Figures(device))
        {
            if (figure.Value is null != (figure.Confidence == Confidence.Unknown))
                throw new PlanException($"{path}: {key}: a value needs a confidence of low, medium or high, and none is \"unknown\"");
            if (figure.Value is not null && (figure.Source is null || figure.Date is null))
                throw new PlanException($"{path}: {key}: say source and date");
            if (figure.Value is not (null or >= 0 and < 1e9) || figure.Low > figure.Value || figure.High < figure.Value)
                throw new PlanException($"{path}: {key}: give low <= value <= high, 0 or more");
        }

        foreach (DevicePrice price in device.Prices)
        {
            if (price.PerHour is not (> 0 and < 1e6) || price.Low > price.PerHour || price.High < price.PerHour)
                throw new PlanException($"{path}: prices: give low <= per_hour <= high, above 0");
        }
    }

    private static IEnumerable<(string Key, DeviceFigure Figure)> Figures(DeviceSpec device) =>
    [
        ("bf16_tflops", device.Bf16Tflops), ("fp8_tflops", device.Fp8Tflops), ("measured_matmul_tflops", device.MeasuredMatmulTflops),
        ("memory_gb", device.MemoryGb), ("memory_gbs", device.MemoryGbs), ("intra_node_gbs", device.IntraNodeGbs),
        ("node_devices", device.NodeDevices), ("inter_node_gbs", device.InterNodeGbs), ("tdp_watts", device.TdpWatts),
        ("failures_per_device_hour", device.FailuresPerDeviceHour),
    ];
}

[JsonSerializable(typeof(DeviceSpec))]
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true,
    ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, AllowDuplicateProperties = false)]
internal sealed partial class DeviceJson : JsonSerializerContext;
