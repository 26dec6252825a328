using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>Where a save finds the numbers of a tensor.</summary>
internal interface ITensorReader
{
    /// <summary>Elements [first, first + count); valid until the next call.</summary>
    ReadOnlySpan<float> Read(NamedTensor tensor, int first, int count);
}
