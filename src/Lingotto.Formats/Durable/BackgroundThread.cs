using System.Runtime.InteropServices;

namespace Lingotto.Formats;

/// <summary>A thread that writes while others compute: it takes the processor only where they leave it.</summary>
public static class BackgroundThread
{
    private const int ThisThread = 0, LowestNiceness = 19;

    /// <summary>Starts it; the process does not wait for it at its end.</summary>
    /// <param name="name">Shown by debuggers.</param>
    /// <param name="work">What it does; must not throw.</param>
    public static Thread Start(string name, Action work)
    {
        var thread = new Thread(() =>
        {
            // .NET ignores priorities on Linux, where niceness belongs to the thread. Refusal costs speed only.
            if (OperatingSystem.IsLinux())
            {
                _ = SetPriority(ThisThread, 0, LowestNiceness);
            }

            work();
        })
        { Name = name, IsBackground = true, Priority = ThreadPriority.Lowest };
        thread.Start();
        return thread;
    }

    [DllImport("libc", EntryPoint = "setpriority")]
    private static extern int SetPriority(int which, int who, int niceness);
}
