using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Planning;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Cli;

/// <summary>An exception as one line for the user, and as an exit code.</summary>
internal static class FaultReport
{
    // errno of Linux: ENOSPC, EDQUOT, EROFS, EIO
    private const int NoSpaceLeft = 28, QuotaExceeded = 122, ReadOnlyFileSystem = 30, DeviceFault = 5;

    public static int Write(Exception fault, Terminal terminal, bool isVerbose)
    {
        if (fault is OperationCanceledException)
        {
            terminal.Error.WriteLine("stopped");
            return ExitCodes.Interrupted;
        }

        int code = CodeOf(fault);
        terminal.WriteError(code == ExitCodes.InternalFault
            ? $"a fault inside lingotto ({fault.GetType().Name}: {fault.Message}): "
                + (isVerbose ? "please report it with what follows"
                    : "please run the same command with --verbose and report what it prints")
            : MessageOf(fault));
        if (isVerbose)
        {
            terminal.Error.WriteLine(fault);
        }
        return code;
    }

    private static int CodeOf(Exception fault) => fault switch
    {
        UsageException => ExitCodes.Usage,
        RunException or RecipeException or PlanException or ModelConfigException or SafetensorsException or DurableFolderException
            or TokenIdException
            or OutOfDeviceMemoryException or OutOfMemoryException or PlatformNotSupportedException
            or InvalidDataException or IOException or UnauthorizedAccessException => ExitCodes.Failed,
        _ => ExitCodes.InternalFault,
    };

    private static string MessageOf(Exception fault) => fault switch
    {
        OutOfMemoryException => "the memory of this machine ran out: close other programs, or take a smaller model or micro-batch",
        UnauthorizedAccessException => $"{fault.Message.TrimEnd('.')}: check the permissions or choose another place",
        IOException when (fault.HResult & 0xFFFF) is NoSpaceLeft or QuotaExceeded
            || fault.Message.Contains("disk was full", StringComparison.Ordinal) =>
            $"the disk is full ({fault.Message.TrimEnd('.')}): make room and run the same command again",
        IOException when (fault.HResult & 0xFFFF) == ReadOnlyFileSystem =>
            $"{fault.Message.TrimEnd('.')}: choose a place that can be written",
        IOException when (fault.HResult & 0xFFFF) == DeviceFault =>
            $"{fault.Message.TrimEnd('.')}: check the disk, or choose another place",
        FileNotFoundException or DirectoryNotFoundException when fault.Message.StartsWith("Could not find", StringComparison.Ordinal) =>
            $"{fault.Message.TrimEnd('.')}: check the spelling, or choose a place that can be written",
        FileNotFoundException or DirectoryNotFoundException
            when fault.Message.EndsWith("no such file or folder", StringComparison.Ordinal) =>
            $"{fault.Message}: check the spelling",
        _ => fault.Message,
    };
}
