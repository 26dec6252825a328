namespace Lingotto.Planning;

/// <summary>What every way of mixing two kinds of devices asks of a request.</summary>
internal static class MixedFleet
{
    /// <summary>Useful share of the wall time: a failure of either kind stops both.</summary>
    public static double Useful(PlanRequest request, DeviceEstimate first, int firstDevices, DeviceEstimate second, int secondDevices)
    {
        double Rate(DeviceEstimate device) => request.FailuresPerDeviceHour ?? device.FailuresPerDeviceHour;
        int devices = firstDevices + secondDevices;
        return Goodput.BestShare(
            devices, (firstDevices * Rate(first) + secondDevices * Rate(second)) / devices, request.SaveSeconds, request.RestartSeconds);
    }

    /// <summary>The devices that have a price.</summary>
    public static IReadOnlyList<(DeviceEstimate Device, HourlyPrice Price)> Priced(PlanRequest request, IReadOnlyList<DeviceEstimate> devices) =>
        [.. devices.Select(device => (device, HourlyPrice.Of(device.Device, request))).Where(pair => pair.Item2.PerHour is not null)];
}
