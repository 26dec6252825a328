using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>Parts of a large tensor, so that a copy to or from the host is never a second whole tensor.</summary>
internal static class TensorChunks
{
    /// <summary>Elements of a part, at most.</summary>
    public const int Length = 1 << 20;

    /// <summary>The tensor in flat parts, each with the number of elements before it.</summary>
    public static IEnumerable<(Tensor Part, int First)> Of(Tensor tensor)
    {
        int length = checked((int)tensor.Length);
        Tensor flat = tensor.Reshape(length);
        for (int first = 0; first < length; first += Length)
        {
            yield return (flat.Slice(first, Math.Min(Length, length - first)), first);
        }
    }
}
