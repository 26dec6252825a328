namespace Lingotto.Planning;

/// <summary>Walks over every layout of a space in a fixed order.</summary>
internal static class LayoutWalk
{
    /// <summary>Walks over the space. Returns the number of layouts that break a rule.</summary>
    public static long Run<TVisitor>(Workload work, LayoutSpace space, int nodeDevices, int limit, ref TVisitor visitor)
        where TVisitor : struct, ILayoutVisitor
    {
        long refused = 0;
        foreach (Layout branch in Branches(space, limit))
        {
            if (LayoutRules.FillsStages(work.Model, branch) && visitor.Enters(branch))
            {
                refused += VisitLayouts(work, space, nodeDevices, limit, branch, ref visitor);
            }
        }

        return refused;
    }

    private static IEnumerable<Layout> Branches(LayoutSpace space, int limit) =>
        from recompute in space.Recompute
        from microBatch in space.MicroBatch
        from context in space.Context
        from tensor in space.Tensor
        from pipeline in space.Pipeline
        from expert in space.Expert
        let grid = pipeline * Math.Max(tensor * context, expert)
        where grid <= limit
        from chunks in space.Chunks
        select new Layout
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

    private static long VisitLayouts<TVisitor>(
        Workload work, LayoutSpace space, int nodeDevices, int limit, in Layout branch, ref TVisitor visitor)
        where TVisitor : struct, ILayoutVisitor
    {
        long refused = 0;
        int stage = branch.Tensor * branch.Context * branch.Pipeline;
        foreach (int data in space.Data)
        {
            int devices = stage * data;
            if (devices > limit || (devices % nodeDevices != 0 && devices > nodeDevices))
            {
                continue; // fleets are rented by the node
            }

            foreach (int islands in space.Islands.Where(count => data % count == 0))
            {
                foreach (ZeroStage zero in space.Zero)
                {
                    foreach (PipelineSchedule schedule in space.Schedule)
                    {
                        Layout layout = branch with { Devices = devices, Islands = islands, Zero = zero, Schedule = schedule };
                        if (LayoutRules.Broken(work, layout, nodeDevices) == LayoutRule.None)
                        {
                            visitor.Visit(layout);
                        }
                        else
                        {
                            refused++;
                        }
                    }
                }
            }
        }

        return refused;
    }
}
