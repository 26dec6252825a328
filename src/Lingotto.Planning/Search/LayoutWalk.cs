namespace Lingotto.Planning;

/// <summary>What a walk over layouts does at each branch and leaf.</summary>
internal interface ILayoutVisitor
{
    /// <summary>A branch fixes t, c, p, v, b, e and recomputation; false leaves out all that follows.</summary>
    bool Enters(in Layout branch);

    /// <summary>A layout that obeys the rules.</summary>
    void Visit(in Layout layout);
}

/// <summary>Every layout of a space in a fixed order.</summary>
internal static class LayoutWalk
{
    /// <summary>Walks; returns the layouts refused by a rule.</summary>
    public static long Run<TVisitor>(Workload work, LayoutSpace space, int nodeDevices, int limit, ref TVisitor visitor)
        where TVisitor : struct, ILayoutVisitor
    {
        long refused = 0;
        foreach (Recompute recompute in space.Recompute)
            foreach (int microBatch in space.MicroBatch)
                foreach (int context in space.Context)
                    foreach (int tensor in space.Tensor)
                        foreach (int pipeline in space.Pipeline)
                            foreach (int expert in space.Expert)
                                foreach (int chunks in space.Chunks)
                                {
                                    int grid = pipeline * Math.Max(tensor * context, expert);
                                    if (grid > limit)
                                        continue;
                                    var branch = new Layout
                                    {
                                        Devices = grid,
                                        Tensor = tensor,
                                        Pipeline = pipeline,
                                        Chunks = chunks,
                                        Context = context,
                                        Expert = expert,
                                        MicroBatch = microBatch,
                                        Recompute = recompute,
                                    };
                                    if (LayoutRules.FillsStages(work.Model, branch) && visitor.Enters(branch))
                                        refused += Leaves(work, space, nodeDevices, limit, branch, ref visitor);
                                }

        return refused;
    }

    private static long Leaves<TVisitor>(Workload work, LayoutSpace space, int nodeDevices, int limit, in Layout branch, ref TVisitor visitor)
        where TVisitor : struct, ILayoutVisitor
    {
        long refused = 0;
        int stage = branch.Tensor * branch.Context * branch.Pipeline;
        foreach (int data in space.Data)
        {
            int devices = stage * data;
            if (devices > limit || (devices % nodeDevices != 0 && devices > nodeDevices))
                continue; // fleets are rented by the node
            foreach (int islands in space.Islands.Where(count => data % count == 0))
                foreach (ZeroStage zero in space.Zero)
                    foreach (PipelineSchedule schedule in space.Schedule)
                    {
                        Layout layout = branch with { Devices = devices, Islands = islands, Zero = zero, Schedule = schedule };
                        if (LayoutRules.Broken(work, layout, nodeDevices) == LayoutRule.None)
                            visitor.Visit(layout);
                        else
                            refused++;
                    }
        }

        return refused;
    }
}
