namespace Lingotto.Compute;

/// <summary>
/// One operation at one size, as data: its tensors, how it is called, which result is projected on which cotangent and
/// which gradient belongs to which input. Every check of <see cref="ConformanceRunner"/> runs from this declaration.
/// </summary>
internal sealed record OpCase(string Operation, string Sizes)
{
    public required IReadOnlyList<OpTensor> Tensors { get; init; }

    public required Action<OpOperands> Forward { get; init; }

    /// <summary>The backward operation; it reads what forward saved.</summary>
    public Action<OpOperands>? Backward { get; init; }

    /// <summary>The scalar that is differentiated: the sum of each result times its cotangent.</summary>
    public IReadOnlyList<(string Result, string Cotangent)> Projection { get; init; } = [];

    /// <summary>Inputs, and where backward leaves their gradients.</summary>
    public IReadOnlyList<(string Input, string Gradient)> Gradients { get; init; } = [];

    /// <summary>Computes one row of the results alone; its bits must be those it has in the batch.</summary>
    public Action<OpOperands, int>? ForwardRow { get; init; }

    /// <summary>Rows for <see cref="ForwardRow"/>.</summary>
    public int Rows { get; init; }

    /// <summary>Errors are measured against the sum of absolute products, not against the largest element.</summary>
    public bool IsProduct { get; init; }

    /// <summary>Error allowed, relative to the natural scale: the house's promise for single precision.</summary>
    public double Tolerance { get; init; } = ConformanceSuite.Single;

    public string Place => Operation + " " + Sizes;

    public override string ToString() => Place;
}
