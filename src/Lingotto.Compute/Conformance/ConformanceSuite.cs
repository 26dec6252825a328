namespace Lingotto.Compute;

/// <summary>
/// The cases of every operation: odd sizes around each vector width, block edges of the kernels, and degenerate routings.
/// </summary>
internal static partial class ConformanceSuite
{
    /// <summary>Every length that can leave a different remainder at some vector width, and primes above.</summary>
    private static readonly int[] s_lengths = [.. Enumerable.Range(1, 65), 67, 97, 127, 131];

    /// <summary>Both sides of each multiple of a vector or panel, for operations that are slow to check.</summary>
    private static readonly int[] s_edges =
        [1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 64, 65, 97];

    /// <summary>The promise for single precision: relative to the sum of absolute products, or to the largest element.</summary>
    public const double Single = 1e-5;

    /// <summary>A bfloat16 has eight significant bits: rounding is off by 2^-8 at most.</summary>
    public const double RoundedResult = 1.01 / 256;

    /// <summary>Rounded on the way to a result, and once more there.</summary>
    public const double RoundedInside = 2.5 / 256;

    // Built at first use: the static fields of the other parts are not set before.
    private static readonly Lazy<IReadOnlyList<OpCase>> s_all = new(() =>
        [.. Elementwise(), .. Norms(), .. Products(), .. ActivatedProducts(), .. Attention(), .. Routing(), .. Experts(), .. Losses(),
            .. Optimizer()]);

    public static IReadOnlyList<OpCase> All => s_all.Value;

    /// <summary>
    /// A case with some tensors stored in bfloat16. Its gradients are not differentiated anew: only the loads and stores differ.
    /// </summary>
    private static OpCase StoredInBf16(OpCase c, params string[] names) => c with
    {
        Operation = c.Operation + " in bf16",
        Tensors = [.. c.Tensors.Select(t => names.Contains(t.Name) ? t with { DType = DType.BF16 } : t)],
        Projection = [],
        Gradients = [],
        Tolerance = RoundedResult,
    };

    private static OpTensor In(string name, params int[] shape) => new(name, OpRole.Input, DType.F32, shape);

    private static OpTensor Weight(string name, params int[] shape) => new(name, OpRole.Weight, DType.F32, shape);

    private static OpTensor Changed(string name, params int[] shape) => new(name, OpRole.Changed, DType.F32, shape);

    private static OpTensor Out(string name, params int[] shape) => new(name, OpRole.Output, DType.F32, shape);

    private static OpTensor OutInts(string name, params int[] shape) => new(name, OpRole.Output, DType.I32, shape);

    private static OpTensor Ints(string name, int[] values, params int[] shape) =>
        new(name, OpRole.Input, DType.I32, shape.Length == 0 ? [values.Length] : shape) { Values = [.. values] };

    /// <summary>Small whole numbers that look random and are the same everywhere.</summary>
    private static int[] Scattered(int count, int below, int salt = 1) =>
        [.. Enumerable.Range(0, count).Select(i => (int)(unchecked((uint)(i + 31 * salt) * 2654435761u) >> 7) % below)];
}
