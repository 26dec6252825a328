using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>One weight: a view into its block, and into the block's gradients where it is trained.</summary>
/// <param name="Name">Name within the block, such as <c>attention.query_key_value</c>.</param>
/// <param name="Value">The weight.</param>
/// <param name="Gradient">Gradient of the weight; absent where the weight is frozen or the model only runs.</param>
/// <param name="Role">What it is to the optimizer.</param>
public sealed record Parameter(string Name, Tensor Value, Tensor Gradient, ParameterRole Role)
{
    /// <summary>True if the parameter has a gradient.</summary>
    public bool IsTrained => !Gradient.IsAbsent;
}

/// <summary>
/// The parameters of one layer as one flat run of floats, trained matrices first, so that a layer can be gathered, reduced and
/// updated whole.
/// </summary>
public sealed class ParameterBlock
{
    /// <summary>The name of the block that holds the token embedding.</summary>
    internal const string EmbeddingName = "embedding";

    /// <summary>Views of a layout in memory.</summary>
    /// <param name="layout">Names, shapes and offsets.</param>
    /// <param name="values">F32, <see cref="ParameterLayout.Length"/> elements.</param>
    /// <param name="gradients">F32, <see cref="ParameterLayout.TrainedLength"/> elements; absent where nothing is trained.</param>
    internal ParameterBlock(ParameterLayout layout, Tensor values, Tensor gradients)
    {
        Layout = layout;
        Values = values;
        Gradients = gradients;
        Parameters =
        [
            .. layout.Places.Select(place => new Parameter(
                place.Declaration.Name, View(values, place), place.IsTrained ? View(gradients, place) : default, place.Declaration.Role)),
        ];
    }

    /// <summary>Global name, such as <c>layers.3</c>.</summary>
    public string Name => Layout.Name;

    /// <summary>True for the token embedding.</summary>
    public bool IsEmbedding => Name == EmbeddingName;

    /// <summary>All weights, flat.</summary>
    public Tensor Values { get; }

    /// <summary>The gradients of the first <see cref="TrainedLength"/> weights, flat; absent when the model only runs.</summary>
    public Tensor Gradients { get; }

    /// <summary>Leading elements that belong to trained matrices, which AdamW decays.</summary>
    public int MatrixLength => Layout.MatrixLength;

    /// <summary>Leading elements that have gradients.</summary>
    public int TrainedLength => Layout.TrainedLength;

    /// <summary>The parameters in the order of the flat run.</summary>
    public IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>Names, shapes and offsets.</summary>
    internal ParameterLayout Layout { get; }

    /// <summary>The parameter of that name.</summary>
    public Parameter this[string name] => Parameters.Single(p => p.Name == name);

    private static Tensor View(Tensor flat, ParameterPlace place) =>
        flat.Slice(place.Offset, place.Declaration.Length).Reshape(place.Declaration.Shape);
}
