using System.CommandLine;
using System.Globalization;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>The options of lingotto plan that select devices.</summary>
internal sealed class DeviceOptions
{
    private readonly Option<string?> _devices = new("--devices")
    {
        Description = "Consider only these devices, separated by commas; a NAME.json file is a device of your own.",
        HelpName = "NAMES",
    };

    private readonly Option<string[]> _noVendor = new("--no-vendor")
    {
        Description = "Exclude vendors, separated by commas.",
        HelpName = "NAMES",
    };

    private readonly Option<string?> _stock = new("--stock")
    {
        Description = "Available devices: ling-a=2000,ling-d=500. Devices that are not listed are unlimited.",
        HelpName = "NAME=N",
    };

    public IReadOnlyList<Option> All => [_devices, _noVendor, _stock];

    /// <summary>Returns the catalogue, including the files among --devices.</summary>
    public DeviceCatalogue Catalogue(ParseResult parsed, DeviceCatalogue shipped) =>
        shipped.With(Parts(parsed.GetValue(_devices)).Where(IsFile).Select(DeviceCatalogue.ReadDevice));

    /// <summary>Returns true if devices are named: then each named device must have every figure that a plan needs.</summary>
    public bool AreNamed(ParseResult parsed) => parsed.GetValue(_devices) is not null;

    /// <summary>Returns the selected devices.</summary>
    public IReadOnlyList<DeviceSpec> Selected(ParseResult parsed, DeviceCatalogue catalogue)
    {
        string[] names = Parts(parsed.GetValue(_devices)), vendors = [.. (parsed.GetValue(_noVendor) ?? []).SelectMany(Parts)];
        if (AreNamed(parsed) && names.Length == 0)
        {
            throw new UsageException("--devices names none: give names separated by commas, or leave it out for all");
        }

        string[] known = [.. catalogue.Devices.Select(device => device.Vendor).Distinct()];
        foreach (string vendor in vendors.Where(vendor => !known.Contains(vendor, StringComparer.OrdinalIgnoreCase)))
        {
            throw new UsageException($"--no-vendor cannot be '{vendor}': give one of {string.Join(", ", known)}");
        }

        IEnumerable<DeviceSpec> named = names.Length == 0 ? catalogue.Devices
            : names.Select(name => Find("--devices", IsFile(name) ? DeviceCatalogue.ReadDevice(name).Name : name, catalogue)).Distinct();
        DeviceSpec[] selected = [.. named.Where(device => !vendors.Contains(device.Vendor, StringComparer.OrdinalIgnoreCase))];
        return selected.Length > 0 ? selected
            : throw new UsageException("--no-vendor leaves out every device: name other vendors, or leave it out");
    }

    /// <summary>Returns the number of available devices by name.</summary>
    public Dictionary<string, int> Stock(ParseResult parsed, DeviceCatalogue catalogue, IReadOnlyList<DeviceSpec> selected)
    {
        var stock = new Dictionary<string, int>(StringComparer.OrdinalIgnoreCase);
        foreach (string entry in Parts(parsed.GetValue(_stock)))
        {
            string[] parts = entry.Split('=');
            if (parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int count) || count < 1)
            {
                throw new UsageException($"--stock cannot be '{entry}': give a device and a number, as in ling-a=2000");
            }

            DeviceSpec device = Find("--stock", parts[0], catalogue);
            if (!selected.Contains(device))
            {
                throw new UsageException($"--stock names {device.Name}, which --devices or --no-vendor leaves out: "
                    + "add it there, or remove it here");
            }

            if (!stock.TryAdd(device.Name, count))
            {
                throw new UsageException($"--stock names {device.Name} twice: give one number");
            }
        }

        return stock;
    }

    private static DeviceSpec Find(string option, string name, DeviceCatalogue catalogue)
    {
        try
        {
            return catalogue[name];
        }
        catch (PlanException missing)
        {
            throw new UsageException($"{option}: {missing.Message}");
        }
    }

    private static bool IsFile(string name) => name.EndsWith(".json", StringComparison.OrdinalIgnoreCase);

    private static string[] Parts(string? text) =>
        text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
