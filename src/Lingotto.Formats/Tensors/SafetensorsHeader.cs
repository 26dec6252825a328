using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;

namespace Lingotto.Formats;

/// <summary>
/// The JSON between the length and the data:
/// {"__metadata__": {string: string}, name: {"dtype", "shape", "data_offsets": [begin, end)}, ...}, padded with spaces to 8 bytes.
/// </summary>
internal sealed record SafetensorsHeader(IReadOnlyList<TensorEntry> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>The cap of the reference implementation.</summary>
    public const int MaxLength = 100_000_000;

    private const string MetadataKey = "__metadata__";

    /// <summary>Object of entries, entry, array.</summary>
    private const int MaxDepth = 3;

    /// <summary>Parses and validates; <paramref name="dataLength"/> is the number of bytes after the header.</summary>
    public static SafetensorsHeader Parse(ReadOnlySpan<byte> json, long dataLength, string source)
    {
        if (json.IsEmpty || json[0] != (byte)'{')
        {
            throw new SafetensorsException(source, null, "the header does not start with '{'; this is not a safetensors file");
        }

        if (!Utf8.IsValid(json))
        {
            throw new SafetensorsException(source, null, "the header is not UTF-8; the file is damaged");
        }

        SafetensorsHeader header;
        try
        {
            header = new Parser(source).Parse(json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string holds half of an escaped surrogate pair.
            throw new SafetensorsException(source, null, "the header is not valid JSON; the file is damaged or not safetensors", e);
        }

        CheckLayout(header.Tensors, dataLength, source);
        return header;
    }

    /// <summary>The header's bytes, padded, without the length in front.</summary>
    public byte[] ToBytes()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            if (Metadata.Count > 0)
            {
                json.WriteStartObject(MetadataKey);
                foreach ((string key, string value) in Metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            foreach (TensorEntry tensor in Tensors)
            {
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", SafetensorsDTypes.Name(tensor.DType));
                WriteArray(json, "shape", tensor.Shape);
                WriteArray(json, "data_offsets", [tensor.Begin, tensor.End]);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        int padding = (8 - buffer.WrittenCount % 8) % 8;
        buffer.Write("        "u8[..padding]);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteArray(Utf8JsonWriter json, string key, ReadOnlySpan<long> values)
    {
        json.WriteStartArray(key);
        foreach (long value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }

    /// <summary>Sorted by offset, the tensors cover the data exactly: no hole, no overlap, no rest.</summary>
    private static void CheckLayout(IReadOnlyList<TensorEntry> tensors, long dataLength, string source)
    {
        long expected = 0;
        foreach (TensorEntry tensor in tensors.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.End))
        {
            if (tensor.Begin != expected)
            {
                throw new SafetensorsException(
                    source, tensor.Name, $"starts at byte {tensor.Begin} of the data where {expected} was due; the file is damaged");
            }

            long length = SafetensorsDTypes.ByteLength(tensor.DType, tensor.Shape, source, tensor.Name);
            if (tensor.End < tensor.Begin || tensor.End - tensor.Begin != length)
            {
                throw new SafetensorsException(
                    source, tensor.Name, $"bytes {tensor.Begin} to {tensor.End} do not hold the {length} of its shape; the file is "
                        + "damaged");
            }

            expected = tensor.End;
        }

        if (expected != dataLength)
        {
            throw new SafetensorsException(
                source, null, $"holds {dataLength} bytes of data where the header lists {expected}; download or save it again");
        }
    }

    private readonly struct Parser(string source)
    {
        public SafetensorsHeader Parse(ReadOnlySpan<byte> json)
        {
            var tensors = new List<TensorEntry>();
            var names = new HashSet<string>(StringComparer.Ordinal);
            Dictionary<string, string>? metadata = null;
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            reader.Read();
            while (NextKey(ref reader) is { } name)
            {
                if (!names.Add(name))
                {
                    throw new SafetensorsException(source, name, "is listed twice; the file is damaged");
                }

                if (name == MetadataKey)
                {
                    metadata = ReadMetadata(ref reader);
                }
                else
                {
                    tensors.Add(ReadEntry(ref reader, name));
                }
            }

            // Only padding may follow; anything else throws here.
            if (reader.Read())
            {
                throw new SafetensorsException(source, null, "the header holds more than one JSON value; the file is damaged");
            }

            return new SafetensorsHeader(tensors, metadata ?? []);
        }

        private Dictionary<string, string> ReadMetadata(ref Utf8JsonReader reader)
        {
            var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
            Expect(ref reader, JsonTokenType.StartObject, MetadataKey);
            while (NextKey(ref reader) is { } key)
            {
                Expect(ref reader, JsonTokenType.String, MetadataKey);
                if (!metadata.TryAdd(key, reader.GetString()!))
                {
                    throw new SafetensorsException(source, null, $"metadata '{SafetensorsException.OneLine(key)}' is listed twice");
                }
            }

            return metadata;
        }

        private TensorEntry ReadEntry(ref Utf8JsonReader reader, string name)
        {
            SafetensorsDType? dtype = null;
            long[]? shape = null, offsets = null;
            Expect(ref reader, JsonTokenType.StartObject, name);
            while (NextKey(ref reader) is { } key)
            {
                switch (key)
                {
                    case "dtype" when dtype is null:
                        dtype = ReadDType(ref reader, name);
                        break;
                    case "shape" when shape is null:
                        shape = ReadNumbers(ref reader, name);
                        break;
                    case "data_offsets" when offsets is null:
                        offsets = ReadNumbers(ref reader, name);
                        break;
                    default:
                        throw new SafetensorsException(
                            source, name, $"key '{SafetensorsException.OneLine(key)}' is unknown or listed twice; the file is damaged");
                }
            }

            if (dtype is null || shape is null || offsets is not { Length: 2 })
            {
                throw new SafetensorsException(source, name, "needs dtype, shape and two data_offsets; the file is damaged");
            }

            return new TensorEntry(name, dtype.Value, shape, offsets[0], offsets[1]);
        }

        private SafetensorsDType ReadDType(ref Utf8JsonReader reader, string name)
        {
            Expect(ref reader, JsonTokenType.String, name);
            string text = reader.GetString()!;
            return SafetensorsDTypes.TryParse(text, out SafetensorsDType dtype) ? dtype
                : throw new SafetensorsException(
                    source, name, $"dtype '{SafetensorsException.OneLine(text)}' is unknown; convert the file");
        }

        private long[] ReadNumbers(ref Utf8JsonReader reader, string name)
        {
            var numbers = new List<long>();
            Expect(ref reader, JsonTokenType.StartArray, name);
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0)
                {
                    throw new SafetensorsException(
                        source, name, "a dimension or offset is not a whole number from 0 to 2^63 - 1; the file is damaged");
                }

                numbers.Add(number);
            }

            return [.. numbers];
        }

        /// <summary>Returns the next key of the current object; null at the end of the object.</summary>
        private static string? NextKey(ref Utf8JsonReader reader) =>
            reader.Read() && reader.TokenType == JsonTokenType.PropertyName ? reader.GetString() : null;

        private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string name)
        {
            if (!reader.Read() || reader.TokenType != type)
            {
                throw new SafetensorsException(source, name, $"holds a {reader.TokenType} where a {type} belongs; the file is damaged");
            }
        }
    }
}
