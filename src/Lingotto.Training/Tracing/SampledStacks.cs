using System.Buffers.Binary;
using System.Text;

namespace Lingotto.Training;

/// <summary>
/// The last sample of every thread in a stream of the runtime's event pipe, format NetTrace 4 (docs/NetTraceFormat.md in
/// microsoft/perfview): blocks of events with compressed headers, blocks of stacks as instruction addresses, and the addresses of
/// methods with their names in the rundown at the end. What is not needed for that is passed over.
/// </summary>
internal sealed class SampledStacks
{
    private const string Sampler = "Microsoft-DotNETCore-SampleProfiler", Rundown = "Microsoft-Windows-DotNETRuntimeRundown";

    /// <summary>MethodDCEndVerbose: a method that is loaded at the end.</summary>
    private const int LoadedMethod = 144;

    private const byte BeginObject = 5, EndObject = 6;

    private readonly Dictionary<uint, (string Provider, int Event)> _kinds = [];
    private readonly Dictionary<uint, ulong[]> _stacks = [];
    private readonly Dictionary<ulong, uint> _stackOfThread = [];
    private readonly List<(ulong Start, uint Bytes, string Name)> _methods = [];

    /// <summary>Frames of every thread, innermost first.</summary>
    public IEnumerable<(ulong Thread, IReadOnlyList<string> Frames)> Threads =>
        from sample in _stackOfThread
        orderby sample.Key
        select (sample.Key, (IReadOnlyList<string>)[.. _stacks.GetValueOrDefault(sample.Value, []).Select(NameOf)]);

    /// <exception cref="InvalidDataException">It is not of that format.</exception>
    public static SampledStacks Parse(ReadOnlySpan<byte> stream)
    {
        var stacks = new SampledStacks();
        try
        {
            stacks.ReadObjects(stream);
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new InvalidDataException("the runtime's answer ends early", e);
        }

        stacks._methods.Sort((a, b) => a.Start.CompareTo(b.Start));
        return stacks;
    }

    private void ReadObjects(ReadOnlySpan<byte> stream)
    {
        const int traceBytes = 48;
        ReadOnlySpan<byte> magic = "Nettrace"u8;
        if (!stream.StartsWith(magic))
        {
            throw new InvalidDataException("the runtime's answer is no NetTrace");
        }

        int at = magic.Length;
        at += sizeof(int) + Int32(stream, at);
        while (stream[at] == BeginObject)
        {
            // Tag of the object, tag of its type, a null type, two versions, the name, the type's end.
            int length = Int32(stream, at + 11);
            string type = Encoding.UTF8.GetString(stream.Slice(at + 15, length));
            at += 15 + length + 1;
            if (type == "Trace")
            {
                at += traceBytes;
            }
            else
            {
                int bytes = Int32(stream, at);
                at = (at + sizeof(int) + 3) & ~3;
                ReadBlock(type, stream.Slice(at, bytes));
                at += bytes;
            }

            at += stream[at] == EndObject ? 1 : throw new InvalidDataException("the runtime's answer is out of step");
        }
    }

    private void ReadBlock(string type, ReadOnlySpan<byte> block)
    {
        if (type == "StackBlock")
        {
            ReadStacks(block);
        }
        else if (type is "EventBlock" or "MetadataBlock")
        {
            bool isCompressed = (BinaryPrimitives.ReadInt16LittleEndian(block[2..]) & 1) != 0;
            ReadEvents(block[BinaryPrimitives.ReadInt16LittleEndian(block)..], isCompressed, type == "MetadataBlock");
        }
    }

    private void ReadStacks(ReadOnlySpan<byte> block)
    {
        uint first = (uint)Int32(block, 0);
        int count = Int32(block, 4), at = 8;
        for (uint i = 0; i < count; i++)
        {
            int bytes = Int32(block, at);
            var addresses = new ulong[bytes / sizeof(ulong)];
            for (int a = 0; a < addresses.Length; a++)
            {
                addresses[a] = BinaryPrimitives.ReadUInt64LittleEndian(block[(at + 4 + (a * sizeof(ulong)))..]);
            }

            _stacks[first + i] = addresses;
            at += sizeof(int) + bytes;
        }
    }

    /// <summary>A header says only what differs from the one before.</summary>
    private void ReadEvents(ReadOnlySpan<byte> block, bool isCompressed, bool isMetadata)
    {
        if (!isCompressed)
        {
            throw new InvalidDataException("the runtime's answer has headers of an older format");
        }

        int at = 0;
        uint kind = 0, stack = 0, bytes = 0;
        ulong thread = 0;
        while (at < block.Length)
        {
            byte flags = block[at++];
            kind = Has(1) ? (uint)Variable(block, ref at) : kind;
            if (Has(2))
            {
                Variable(block, ref at); // Sequence number, capturing thread, processor.
                Variable(block, ref at);
                Variable(block, ref at);
            }

            thread = Has(4) ? Variable(block, ref at) : thread;
            stack = Has(8) ? (uint)Variable(block, ref at) : stack;
            Variable(block, ref at); // Time.
            at += (Has(16) ? 16 : 0) + (Has(32) ? 16 : 0);
            bytes = Has(128) ? (uint)Variable(block, ref at) : bytes;
            ReadOnlySpan<byte> payload = block.Slice(at, (int)bytes);
            if (isMetadata)
            {
                Declare(payload);
            }
            else
            {
                Take(kind, thread, stack, payload);
            }

            at += (int)bytes;

            bool Has(int flag) => (flags & flag) != 0;
        }
    }

    private void Declare(ReadOnlySpan<byte> payload)
    {
        int at = sizeof(int);
        string provider = Text(payload, ref at);
        _kinds[(uint)Int32(payload, 0)] = (provider, Int32(payload, at));
    }

    private void Take(uint kind, ulong thread, uint stack, ReadOnlySpan<byte> payload)
    {
        (string provider, int @event) = _kinds.GetValueOrDefault(kind);
        if (provider == Sampler)
        {
            _stackOfThread[thread] = stack;
        }
        else if (provider == Rundown && @event == LoadedMethod)
        {
            // Method and module, where it starts, its size, token, flags; then the names of type and method.
            int at = 36;
            string type = Text(payload, ref at), method = Text(payload, ref at);
            _methods.Add((BinaryPrimitives.ReadUInt64LittleEndian(payload[16..]), (uint)Int32(payload, 24), $"{type}.{method}"));
        }
    }

    private string NameOf(ulong address)
    {
        int low = 0, high = _methods.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _methods[middle].Start <= address ? (middle + 1, high) : (low, middle);
        }

        return low > 0 && address - _methods[low - 1].Start < _methods[low - 1].Bytes ? _methods[low - 1].Name : "(native code)";
    }

    private static int Int32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes[at..]);

    /// <summary>Seven bits a byte, lowest first.</summary>
    private static ulong Variable(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    /// <summary>UTF-16 up to a zero.</summary>
    private static string Text(ReadOnlySpan<byte> bytes, ref int at)
    {
        int begin = at;
        while (bytes[at] != 0 || bytes[at + 1] != 0)
        {
            at += 2;
        }

        at += 2;
        return Encoding.Unicode.GetString(bytes[begin..(at - 2)]);
    }
}
