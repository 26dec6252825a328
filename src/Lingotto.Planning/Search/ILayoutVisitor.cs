namespace Lingotto.Planning;

/// <summary>Visits the branches and layouts of a <see cref="LayoutWalk"/>.</summary>
internal interface ILayoutVisitor
{
    /// <summary>Decides about a branch, which fixes t, c, p, v, b, e and recomputation. False skips all layouts of the branch.</summary>
    bool Enters(in Layout branch);

    /// <summary>Visits a layout that obeys the rules.</summary>
    void Visit(in Layout layout);
}
