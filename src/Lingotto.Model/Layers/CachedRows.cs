using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>New tokens of one sequence whose earlier keys and values are in a cache.</summary>
/// <param name="Positions">I32[T]: position of each token.</param>
/// <param name="FirstPosition">Position of the first token: the number of tokens in the cache.</param>
/// <param name="Rotary">Angles of every position of the cache.</param>
internal readonly record struct CachedRows(Tensor Positions, int FirstPosition, RotaryTable Rotary);
