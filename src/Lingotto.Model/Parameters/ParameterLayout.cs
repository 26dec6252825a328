namespace Lingotto.Model;

/// <summary>What a parameter is to the optimizer and to a fresh model.</summary>
public enum ParameterRole
{
    /// <summary>
    /// Weights of a matmul and the token embedding: drawn from a normal distribution with the config's initializer_range.
    /// </summary>
    Matrix,

    /// <summary>Weights of a norm: one at first, never decayed.</summary>
    Norm,

    /// <summary>Zero at first, and changed by a rule instead of a gradient: expert biases, statistics of router logits.</summary>
    Buffer,
}

/// <summary>A parameter without memory.</summary>
/// <param name="Name">Name within its block, such as <c>attention.query_key_value</c>.</param>
/// <param name="Shape">1 to 3 dimensions.</param>
/// <param name="Role">What it is to the optimizer.</param>
/// <param name="IsTrained">False for a frozen parameter; a buffer is never trained.</param>
internal sealed record ParameterDeclaration(string Name, int[] Shape, ParameterRole Role = ParameterRole.Matrix, bool IsTrained = true)
{
    /// <summary>Number of elements.</summary>
    public int Length => Shape.Aggregate(1, (product, dim) => checked(product * dim));
}

/// <summary>The place of a parameter in the flat run of its block.</summary>
/// <param name="Declaration">Name, shape and role.</param>
/// <param name="Offset">Elements before it.</param>
/// <param name="IsTrained">True if it has a gradient at the same offset.</param>
internal readonly record struct ParameterPlace(ParameterDeclaration Declaration, int Offset, bool IsTrained);

/// <summary>
/// Names, shapes and places of the parameters of one layer, apart from the memory they are stored in (<see cref="IParameterStorage"/>).
/// Trained matrices come first, then trained norms, so that the optimizer updates a block in two runs. Each parameter starts on a cache
/// line; the gaps are zero and stay zero.
/// </summary>
internal sealed class ParameterLayout
{
    private const int Granule = Compute.Arena.Alignment / sizeof(float);

    /// <summary>Places the declared parameters; with <paramref name="isTrained"/> false none has a gradient.</summary>
    public ParameterLayout(string name, IEnumerable<ParameterDeclaration> declared, bool isTrained)
    {
        Name = name;
        var places = new List<ParameterPlace>();
        foreach (ParameterDeclaration d in declared.OrderBy(d => !HasGradient(d)).ThenBy(d => d.Role))
        {
            bool trained = isTrained && HasGradient(d);
            places.Add(new ParameterPlace(d, Length, trained));
            Length = checked(Length + checked((d.Length + Granule - 1) / Granule * Granule));
            TrainedLength = trained ? Length : TrainedLength;
            MatrixLength = trained && d.Role == ParameterRole.Matrix ? Length : MatrixLength;
        }

        Places = places;
    }

    /// <summary>Global name of the block, such as <c>layers.3</c>.</summary>
    public string Name { get; }

    /// <summary>Every parameter in the order of the flat run.</summary>
    public IReadOnlyList<ParameterPlace> Places { get; }

    /// <summary>Elements of the flat run.</summary>
    public int Length { get; }

    /// <summary>Leading elements that have gradients.</summary>
    public int TrainedLength { get; }

    /// <summary>Leading elements that belong to trained matrices.</summary>
    public int MatrixLength { get; }

    private static bool HasGradient(ParameterDeclaration d) => d.IsTrained && d.Role != ParameterRole.Buffer;
}
