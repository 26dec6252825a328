using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace Lingotto.Tests.Formats;

/// <summary>Sound files with one to three fields changed: random bytes alone would die at the first rule.</summary>
internal static class SafetensorsMutator
{
    private static readonly string[] s_numbers =
        ["0", "1", "-1", "7", "8", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e3", "0.5", "null",
            "\"8\"", "[]"];

    private static readonly string[] s_values =
        ["\"F32\"", "\"BF16\"", "\"F4\"", "\"Q8\"", "7", "null", "{}", "[]", "[2,2]", "[0,8]", "\"\\u0000\""];

    public static byte[] Next(Random random)
    {
        JsonObject header = Sound(random, out int dataLength);
        int changes = random.Next(4);
        for (int i = 0; i < changes; i++)
        {
            Change(header, random);
        }

        byte[] file = SafetensorsBytes.Make(
            header.ToJsonString() + new string(' ', random.Next(3)), Math.Max(0, dataLength + Nudge(random)));
        if (random.Next(4) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(file, BinaryPrimitives.ReadInt64LittleEndian(file) + random.Next(-2, 3));
        }

        if (random.Next(6) == 0)
        {
            file[random.Next(file.Length)] ^= (byte)(1 << random.Next(8));
        }

        return file;
    }

    private static JsonObject Sound(Random random, out int dataLength)
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        dataLength = 0;
        for (int i = random.Next(1, 5); i > 0; i--)
        {
            (string dtype, int size) = random.Next(3) switch { 0 => ("F32", 4), 1 => ("BF16", 2), _ => ("U8", 1) };
            int rows = random.Next(4), columns = random.Next(1, 4), length = rows * columns * size;
            header["t" + i] = new JsonObject
            {
                ["dtype"] = dtype,
                ["shape"] = new JsonArray(rows, columns),
                ["data_offsets"] = new JsonArray(dataLength, dataLength + length),
            };
            dataLength += length;
        }

        return header;
    }

    private static void Change(JsonObject header, Random random)
    {
        if (header.Count == 0)
        {
            return;
        }

        string name = header.Select(pair => pair.Key).ElementAt(random.Next(header.Count));
        if (header[name] is not JsonObject { Count: > 0 } entry)
        {
            return;
        }

        string key = entry.Select(pair => pair.Key).ElementAt(random.Next(entry.Count));
        switch (random.Next(5))
        {
            case 0:
                header.Remove(name);
                break;
            case 1:
                entry.Remove(key);
                break;
            case 2:
                entry[key] = JsonNode.Parse(Pick(s_values, random));
                break;
            case 3:
                entry["k" + random.Next(3)] = JsonNode.Parse(Pick(s_values, random));
                break;
            default:
                if (entry[key] is JsonArray { Count: > 0 } numbers)
                {
                    numbers[random.Next(numbers.Count)] = JsonNode.Parse(Pick(s_numbers, random));
                }

                break;
        }
    }

    private static string Pick(string[] choices, Random random) => choices[random.Next(choices.Length)];

    private static int Nudge(Random random) => random.Next(5) == 0 ? random.Next(-4, 5) : 0;
}
