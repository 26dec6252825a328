using System.CommandLine;
using System.Globalization;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>The options of lingotto plan that say which devices there are.</summary>
internal sealed class DeviceOptions
{
    private readonly Option<string?> _devices = new("--devices") { Description = "Consider only these, parted by commas; a file describes one of your own.", HelpName = "NAMES" };
    private readonly Option<string[]> _noVendor = new("--no-vendor") { Description = "Leave out vendors, parted by commas.", HelpName = "NAMES" };
    private readonly Option<string?> _stock = new("--stock") { Description = "How many there are: ling-a=2000,ling-d=500. Devices not named are unlimited.", HelpName = "NAME=N" };

    public IReadOnlyList<Option> All => [_devices, _noVendor, _stock];

    /// <summary>The catalogue, with the files among --devices.</summary>
    public DeviceCatalogue Catalogue(ParseResult parsed, DeviceCatalogue shipped) =>
        shipped.With(Parts(parsed.GetValue(_devices)).Where(IsFile).Select(DeviceCatalogue.ReadDevice));

    /// <summary>True if devices are named: then each of them must have what a plan needs.</summary>
    public bool AreNamed(ParseResult parsed) => parsed.GetValue(_devices) is not null;

    public IReadOnlyList<DeviceSpec> Chosen(ParseResult parsed, DeviceCatalogue catalogue)
    {
        string[] names = Parts(parsed.GetValue(_devices)), vendors = [.. (parsed.GetValue(_noVendor) ?? []).SelectMany(Parts)];
        if (AreNamed(parsed) && names.Length == 0)
            throw new UsageException("--devices names none: give names parted by commas, or leave it out for all");
        string[] known = [.. catalogue.Devices.Select(device => device.Vendor).Distinct()];
        foreach (string vendor in vendors.Where(vendor => !known.Contains(vendor, StringComparer.OrdinalIgnoreCase)))
            throw new UsageException($"--no-vendor cannot be '{vendor}': give one of {string.Join(", ", known)}");

        IEnumerable<DeviceSpec> named = names.Length == 0 ? catalogue.Devices
            : names.Select(name => Find("--devices", IsFile(name) ? DeviceCatalogue.ReadDevice(name).Name : name, catalogue)).Distinct();
        DeviceSpec[] chosen = [.. named.Where(device => !vendors.Contains(device.Vendor, StringComparer.OrdinalIgnoreCase))];
        return chosen.Length > 0 ? chosen : throw new UsageException("--no-vendor leaves out every device: name others, or leave it out");
    }

    /// <summary>How many there are of those chosen, by name.</summary>
    public Dictionary<string, int> Stock(ParseResult parsed, DeviceCatalogue catalogue, IReadOnlyList<DeviceSpec> chosen)
    {
        var stock = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (string entry in Parts(parsed.GetValue(_stock)))
        {
            string[] parts = entry.Split('=');
            if (parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1)
                throw new UsageException($"--stock cannot be '{entry}': give a device and a number, as in ling-a=2000");
            DeviceSpec device = Find("--stock", parts[0], catalogue);
            if (!chosen.Contains(device))
                throw new UsageException($"--stock names {device.Name}, which --devices or --no-vendor leaves out: consider it there, or drop it here");
            if (!stock.TryAdd(device.Name, count))
                throw new UsageException($"--stock names {device.Name} twice: give one number");
        }

        return stock;
    }

    private static DeviceSpec Find(string option, string name, DeviceCatalogue catalogue)
    {
        try
        {
            return catalogue[name];
        }
        catch (PlanException absent)
        {
            throw new UsageException($"{option}: {absent.Message}");
        }
    }

    private static bool IsFile(string name) => name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    private static string[] Parts(string? text) => text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
