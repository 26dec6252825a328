using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lingotto.Compute;

/// <summary>
/// The ragged end of a row, padded to a register, in a line of memory that each thread has for it. An address and not a
/// vector is handed back, so that the vector of the common case stays in its register.
/// </summary>
internal static unsafe class Edge
{
    private const int Bytes = 64;

    [ThreadStatic]
    private static void* s_line;

    /// <summary>The <paramref name="remaining"/> elements at <paramref name="source"/>, then padding; valid until the next call on this thread.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static T* Of<T>(T* source, int remaining, int count, T padding)
        where T : unmanaged
    {
        if (s_line is null)
        {
            s_line = NativeMemory.AlignedAlloc(Bytes, Bytes);
        }

        T* line = (T*)s_line;
        for (int i = 0; i < count; i++)
        {
            line[i] = i < remaining ? source[i] : padding;
        }

        return line;
    }
}
