namespace Lingotto.Planning;

/// <summary>All devices of a folder; a user adds one with one file.</summary>
public sealed class DeviceCatalogue
{
    private readonly Dictionary<string, DeviceSpec> _byName;

    /// <summary>A catalogue of given devices, ordered by name.</summary>
    /// <exception cref="PlanException">A device resembles one that is not among them.</exception>
    public DeviceCatalogue(IEnumerable<DeviceSpec> devices)
    {
        Devices = [.. devices.OrderBy(device => device.Name, StringComparer.Ordinal)];
        _byName = Devices.ToDictionary(device => device.Name, StringComparer.OrdinalIgnoreCase);
        foreach (DeviceSpec device in Devices)
        {
            if (device.Resembles is { } other && Find(other) is null)
                throw new PlanException($"{device.Name}: resembles is \"{other}\", which is no device of the catalogue: did you mean {Nearest(other)}?");
        }
    }

    /// <summary>The devices by name.</summary>
    public IReadOnlyList<DeviceSpec> Devices { get; }

    /// <summary>Reads every *.json of a folder.</summary>
    /// <exception cref="PlanException">The folder is absent or empty, or a file is not a device.</exception>
    public static DeviceCatalogue Load(string folder)
    {
        string[] files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*.json") : [];
        return files.Length > 0
            ? new DeviceCatalogue(files.Order(StringComparer.Ordinal).Select(DeviceFile.Read))
            : throw new PlanException($"{folder}: holds no device: give a folder of files such as devices/h100-sxm.json");
    }

    /// <summary>Reads one device.</summary>
    /// <exception cref="PlanException">The file is absent or not a device.</exception>
    public static DeviceSpec ReadDevice(string path) =>
        File.Exists(path) ? DeviceFile.Read(path) : throw new PlanException($"{path}: no such file: give a device file such as devices/h100-sxm.json");

    /// <summary>Writes one device under its name.</summary>
    public static void WriteDevice(DeviceSpec device, string path) => Lingotto.Formats.DurableFile.WriteAllBytes(path, DeviceFile.ToJson(device));

    /// <summary>This catalogue with other devices; one of the same name replaces its predecessor.</summary>
    public DeviceCatalogue With(IEnumerable<DeviceSpec> devices)
    {
        var all = new Dictionary<string, DeviceSpec>(_byName, StringComparer.OrdinalIgnoreCase);
        foreach (DeviceSpec device in devices)
            all[device.Name] = device;
        return new DeviceCatalogue(all.Values);
    }

    /// <summary>A device by its name.</summary>
    /// <exception cref="PlanException">There is none; the message suggests the nearest.</exception>
    public DeviceSpec this[string name] => Find(name) ?? throw new PlanException(
        $"{name}: no such device in the catalogue: did you mean {Nearest(name)}? Without --devices all are shown");

    /// <summary>A device by its name, or null.</summary>
    public DeviceSpec? Find(string name) => _byName.GetValueOrDefault(name);

    private string Nearest(string name) => Devices.MinBy(device => Distance(name.ToLowerInvariant(), device.Name))!.Name;

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }

        return row[^1];
    }
}
