using Lingotto.Formats;
using Lingotto.Planning;

namespace Lingotto.Tests.Planning;

/// <summary>The catalogue and models that come with the program, read once.</summary>
internal static class PlanningFixture
{
    public static DeviceCatalogue Catalogue { get; } = DeviceCatalogue.Load(RepositoryRoot.File("devices"));

    public static EfficiencyTable Efficiencies { get; } = EfficiencyTable.Load(RepositoryRoot.File("devices", "calibration"));

    public static EstimatedDevice Device(string name) => EstimatedDevice.Of(Catalogue[name], Catalogue, Efficiencies);

    public static ModelShape Shipped(string name) => ModelShape.Of(ModelConfig.Load(RepositoryRoot.File("models", name + ".json")), name);

    public static Workload LingPlus { get; } = new()
    {
        Model = Shipped("ling-plus"),
        SequenceLength = 4096,
        SequencesPerStep = 8960,
        ExpertImbalance = 1.2,
    };

    public static PlanRequest Request(Workload work, double tokens = 1e12) => new() { Work = work, Tokens = tokens };
}
