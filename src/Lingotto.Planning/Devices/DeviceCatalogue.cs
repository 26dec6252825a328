using Lingotto.Formats;

namespace Lingotto.Planning;

/// <summary>The devices of a folder. A user adds a device with one file.</summary>
public sealed class DeviceCatalogue
{
    private readonly Dictionary<string, DeviceSpec> _byName;

    /// <summary>Creates a catalogue of given devices, ordered by name.</summary>
    /// <exception cref="PlanException">A device resembles a device that is missing from the catalogue.</exception>
    public DeviceCatalogue(IEnumerable<DeviceSpec> devices)
    {
        Devices = [.. devices.OrderBy(device => device.Name, StringComparer.Ordinal)];
        _byName = Devices.ToDictionary(device => device.Name, StringComparer.OrdinalIgnoreCase);
        foreach (DeviceSpec device in Devices)
        {
            if (device.Resembles is { } other && Find(other) is null)
            {
                throw new PlanException($"{device.Name}: resembles is \"{other}\", which the catalogue does not have{Suggestion(other)}");
            }
        }
    }

    /// <summary>The devices, ordered by name.</summary>
    public IReadOnlyList<DeviceSpec> Devices { get; }

    /// <summary>Reads every *.json file of a folder.</summary>
    /// <exception cref="PlanException">The folder is missing or empty, or a file is not a device.</exception>
    public static DeviceCatalogue Load(string folder)
    {
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json") : [];
        return files.Length > 0
            ? new DeviceCatalogue(files.Order(StringComparer.Ordinal).Select(DeviceFile.Read))
            : throw new PlanException($"{folder}: has no device file: give a folder of files such as devices/h100-sxm.json");
    }

    /// <summary>Reads one device file.</summary>
    /// <exception cref="PlanException">The file is missing or not a device.</exception>
    public static DeviceSpec ReadDevice(string path) =>
        File.Exists(path) ? DeviceFile.Read(path)
            : throw new PlanException($"{path}: no such file: give a device file such as devices/h100-sxm.json");

    /// <summary>Writes one device to a file.</summary>
    public static void WriteDevice(DeviceSpec device, string path) => DurableFile.WriteAllBytes(path, DeviceFile.ToJson(device));

    /// <summary>Returns this catalogue with further devices. A device replaces another of the same name.</summary>
    public DeviceCatalogue With(IEnumerable<DeviceSpec> devices)
    {
        var all = new Dictionary<string, DeviceSpec>(_byName, StringComparer.OrdinalIgnoreCase);
        foreach (DeviceSpec device in devices)
        {
            all[device.Name] = device;
        }

        return new DeviceCatalogue(all.Values);
    }

    /// <summary>Returns a device by its name or by a unique prefix of its name: h800 for h800-sxm.</summary>
    /// <exception cref="PlanException">No device has the name; the message suggests the nearest.</exception>
    public DeviceSpec this[string name] => Find(name) ?? (WithPrefix(name) is [var only]
        ? _byName[only] : throw new PlanException($"{name}: no such device in the catalogue{Suggestion(name)}"));

    /// <summary>Returns a device by its name; null if there is none.</summary>
    public DeviceSpec? Find(string name) => _byName.GetValueOrDefault(name);

    private string Suggestion(string name)
    {
        string[] meant = WithPrefix(name);
        if (meant.Length == 0)
        {
            meant = [.. Devices.Select(device => device.Name)
                .Where(other => name.Length > 2 && other.Contains(name, StringComparison.OrdinalIgnoreCase))];
        }

        if (meant.Length == 0 && NearestName.Of(name.ToLowerInvariant(), Devices.Select(device => device.Name)) is { } nearest)
        {
            meant = [nearest];
        }

        return meant.Length > 0 ? $": did you mean {string.Join(" or ", meant)}?"
            : ": lingotto plan MODEL without --devices shows all devices";
    }

    private string[] WithPrefix(string name) => name.Length < 2 ? []
        : [.. Devices.Select(device => device.Name).Where(other => other.StartsWith(name, StringComparison.OrdinalIgnoreCase))];
}
