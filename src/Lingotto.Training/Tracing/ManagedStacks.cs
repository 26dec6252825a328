using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Lingotto.Training;

/// <summary>
/// The managed stacks of every thread of this process. A thread cannot walk another's stack in .NET; the runtime can, and is asked
/// over its own diagnostics port, a Unix socket, to sample all threads for a moment (IPC protocol of dotnet/diagnostics, command
/// CollectTracing2). The runtime stops all threads for each sample, some ten times.
/// </summary>
internal static class ManagedStacks
{
    private const int HeaderBytes = 20, EventPipe = 2, Stop = 1, Collect = 3, Okay = 0;
    private const int MostBytes = 256 << 20;

    private static readonly TimeSpan s_sampling = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>One paragraph a thread, or why there is none.</summary>
    public static string Read()
    {
        try
        {
            return Socket() is { } path ? Describe(Sample(path))
                : "Managed stacks: the runtime has no diagnostics port here (DOTNET_EnableDiagnostics=0, or not a Unix system).";
        }
        catch (Exception e) when (e is IOException or SocketException or UnauthorizedAccessException or InvalidDataException
            or NotSupportedException)
        {
            return $"Managed stacks could not be had ({e.Message.ReplaceLineEndings(" ")}).";
        }
    }

    private static string? Socket() => OperatingSystem.IsWindows() ? null
        : Directory.EnumerateFiles(Path.GetTempPath(), FormattableString.Invariant($"dotnet-diagnostic-{Environment.ProcessId}-*-socket"))
            .OrderByDescending(File.GetLastWriteTimeUtc).FirstOrDefault();

    private static SampledStacks Sample(string path)
    {
        using NetworkStream session = Connect(path);
        ulong id = Command(session, Collect, Request());
        Task<byte[]> answer = Task.Run(() => ReadAll(session));
        _ = Task.WaitAny([answer], s_sampling); // The runtime samples until it is told to stop, or hangs up.
        using (NetworkStream stop = Connect(path))
        {
            var payload = new byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(payload, id);
            Command(stop, Stop, payload);
        }

        return Task.WaitAny([answer], s_patience) == 0
            ? SampledStacks.Parse(answer.GetAwaiter().GetResult())
            : throw new IOException("the runtime did not end its answer");
    }

    private static NetworkStream Connect(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(path));
        return new NetworkStream(socket, ownsSocket: true) { ReadTimeout = (int)s_patience.TotalMilliseconds };
    }

    /// <summary>Sends a command; the number that the runtime answers.</summary>
    private static ulong Command(NetworkStream stream, byte command, ReadOnlySpan<byte> payload)
    {
        var message = new byte[HeaderBytes + payload.Length];
        "DOTNET_IPC_V1\0"u8.CopyTo(message);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(14), checked((ushort)message.Length));
        (message[16], message[17]) = (EventPipe, command);
        payload.CopyTo(message.AsSpan(HeaderBytes));
        stream.Write(message);
        var answer = new byte[HeaderBytes + sizeof(ulong)];
        stream.ReadExactly(answer.AsSpan(0, HeaderBytes));
        if (answer[17] != Okay)
        {
            throw new IOException("the runtime refused");
        }

        stream.ReadExactly(answer.AsSpan(HeaderBytes));
        return BinaryPrimitives.ReadUInt64LittleEndian(answer.AsSpan(HeaderBytes));
    }

    /// <summary>Samples of all threads, and at the end the names of all methods.</summary>
    private static byte[] Request()
    {
        const uint bufferMegabytes = 16, netTrace = 1, oneProvider = 1, informational = 4, noFilter = 0;
        const string provider = "Microsoft-DotNETCore-SampleProfiler\0";
        using var request = new MemoryStream();
        using var writer = new BinaryWriter(request);
        writer.Write(bufferMegabytes);
        writer.Write(netTrace);
        writer.Write(true);
        writer.Write(oneProvider);
        writer.Write(0UL);
        writer.Write(informational);
        writer.Write((uint)provider.Length);
        writer.Write(Encoding.Unicode.GetBytes(provider));
        writer.Write(noFilter);
        return request.ToArray();
    }

    private static byte[] ReadAll(NetworkStream stream)
    {
        using var all = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
        {
            all.Write(buffer, 0, read);
            if (all.Length > MostBytes)
            {
                throw new InvalidDataException("the runtime's answer is too long");
            }
        }

        return all.ToArray();
    }

    private static string Describe(SampledStacks stacks)
    {
        var text = new StringBuilder("Managed stacks, innermost frame first");
        foreach ((ulong thread, IReadOnlyList<string> frames) in stacks.Threads)
        {
            text.AppendLine().AppendLine().Append(CultureInfo.InvariantCulture, $"thread {thread} {SystemThreads.NameOf(thread)}");
            foreach (string frame in frames)
            {
                text.AppendLine().Append("  ").Append(frame);
            }
        }

        return text.ToString();
    }
}
