using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>One weight: a view into its block, and into the block's gradients where it is trained.</summary>
/// <param name="Name">Name within the block, such as <c>attention.query_key_value</c>.</param>
/// <param name="Value">The weight.</param>
/// <param name="Gradient">Its gradient; absent when the model only runs.</param>
/// <param name="Initialization">How a fresh weight is drawn.</param>
public sealed record Parameter(string Name, Tensor Value, Tensor Gradient, ParameterInitialization Initialization);

/// <summary>How a fresh weight is drawn.</summary>
public enum ParameterInitialization
{
    /// <summary>Normal with the config's initializer_range: matrices, the token embedding among them.</summary>
    Normal,

    /// <summary>One: norms.</summary>
    One,

    /// <summary>Zero, and moved by rule instead of by gradient: expert biases. No gradient.</summary>
    ZeroBuffer,
}

/// <summary>
/// The parameters of one layer as one flat run of floats, matrices first, so that a layer can be gathered, reduced and
/// updated whole. Each parameter starts on a cache line; the gaps are zero and stay zero.
/// </summary>
public sealed class ParameterBlock
{
    private const int Granule = Arena.Alignment / sizeof(float);

    /// <summary>The name of the block that holds the token embedding.</summary>
    internal const string EmbeddingName = "embedding";

    /// <summary>Lays the declared parameters out in arena memory.</summary>
    internal ParameterBlock(string name, IReadOnlyList<ParameterDeclaration> declared, DecoderMemory memory)
    {
        Name = name;
        ParameterDeclaration[] ordered = [.. declared.OrderBy(d => d.Initialization)];
        MatrixLength = LengthOf(ordered, ParameterInitialization.Normal);
        TrainedLength = MatrixLength + LengthOf(ordered, ParameterInitialization.One);
        int length = TrainedLength + LengthOf(ordered, ParameterInitialization.ZeroBuffer);
        Values = memory.Weights.Allocate(DType.F32, length);
        Gradients = memory.Gradients?.Allocate(DType.F32, TrainedLength) ?? default;
        var parameters = new List<Parameter>();
        int offset = 0;
        foreach (ParameterDeclaration d in ordered)
        {
            bool trained = memory.Gradients is not null && d.Initialization != ParameterInitialization.ZeroBuffer;
            parameters.Add(new Parameter(
                d.Name, View(Values, offset, d), trained ? View(Gradients, offset, d) : default, d.Initialization));
            offset += Padded(d);
        }

        Parameters = parameters;
    }

    /// <summary>Global name, such as <c>layers.3</c>.</summary>
    public string Name { get; }

    /// <summary>True for the token embedding.</summary>
    public bool IsEmbedding => Name == EmbeddingName;

    /// <summary>All weights, flat.</summary>
    public Tensor Values { get; }

    /// <summary>The gradients of the first <see cref="TrainedLength"/> weights, flat; absent when the model only runs.</summary>
    public Tensor Gradients { get; }

    /// <summary>Leading elements that belong to matrices, which AdamW decays.</summary>
    public int MatrixLength { get; }

    /// <summary>Leading elements that have gradients.</summary>
    public int TrainedLength { get; }

    /// <summary>The parameters in the order of the flat run.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The parameter of that name.</summary>
    public Parameter this[string name] => Parameters.Single(p => p.Name == name);

    private static int LengthOf(IEnumerable<ParameterDeclaration> declared, ParameterInitialization kind) =>
        declared.Where(d => d.Initialization == kind).Sum(Padded);

    private static int Padded(ParameterDeclaration d) =>
        checked((int)((d.Shape.Aggregate(1L, (product, dim) => checked(product * dim)) + Granule - 1) / Granule * Granule));

    private static Tensor View(Tensor flat, int offset, ParameterDeclaration d) =>
        flat.Slice(offset, d.Shape.Aggregate(1, (product, dim) => product * dim)).Reshape(d.Shape);
}

/// <summary>A parameter before it has memory.</summary>
internal sealed record ParameterDeclaration(
    string Name, int[] Shape, ParameterInitialization Initialization = ParameterInitialization.Normal);
