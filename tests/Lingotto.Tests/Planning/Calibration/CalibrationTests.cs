using Lingotto.Formats;
using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests the published accuracy: predictions of rows by fits that leave them out.</summary>
public class CalibrationTests
{
    private static readonly Lazy<Calibration> s_calibration = new(
        () => Calibration.Run(RepositoryRoot.File("devices", "calibration"), PlanningFixture.Catalogue));

    [Theory]
    [InlineData("vtrain-multi", 0.12)]
    [InlineData("foundry", 0.08)]
    [InlineData("korthikanti-a100", 0.04)]
    [InlineData("megatron-bridge", 0.15)]
    public void A_model_left_out_of_its_source_is_predicted(string group, double mape) =>
        Assert.InRange(s_calibration.Value.ByModel.Single(row => row.Name == group).Mape, 0, mape);

    [Fact]
    public void Rows_of_vtrain_are_predicted_from_other_sources() =>
        Assert.InRange(s_calibration.Value.BySource.Single(row => row.Name == "vtrain-multi").Mape, 0, 0.18);

    [Fact]
    public void No_step_of_korthikanti_is_off_by_more_than_nine_percent() =>
        Assert.InRange(s_calibration.Value.ByModel.Single(row => row.Name == "korthikanti-a100").Max, 0, 0.09);

    [Fact]
    public void Eighty_percent_intervals_cover_seven_to_nine_rows_of_ten_in_every_long_table() =>
        Assert.All(
            s_calibration.Value.ByModel.Concat(s_calibration.Value.BySource).Where(row => row.Rows >= 20),
            row => Assert.InRange(row.Coverage, 0.7, 0.9));

    [Fact]
    public void Layouts_of_a_mixed_cluster_are_ranked_by_time()
    {
        MixedClusterRow[] ended = [.. s_calibration.Value.MixedCluster.Where(row => row.Measured is not null)];
        Assert.Equal(43, ended.Length);
        Assert.True(Statistics.Spearman([.. ended.Select(row => row.Predicted)], [.. ended.Select(row => row.Measured!.Value)]) >= 0.7);
    }

    [Fact]
    public void The_layout_selected_for_a_mixed_cluster_is_among_the_fastest() =>
        Assert.InRange(MixedClusterAccuracy.Regret(s_calibration.Value.MixedCluster), 0, 0.05);

    [Fact]
    public void Seven_of_the_ten_failed_layouts_are_refused_or_do_not_fit() =>
        Assert.True(MixedClusterAccuracy.Recall(s_calibration.Value.MixedCluster) >= 0.7);

    [Fact]
    public void No_row_of_ling_enters_a_fit() =>
        Assert.DoesNotContain(s_calibration.Value.Runs, run => run.Group.StartsWith("ling", StringComparison.Ordinal));

    [Fact]
    public void The_shipped_efficiencies_are_those_of_the_shipped_measurements() =>
        Assert.Equal(PlanningFixture.Efficiencies.Families, s_calibration.Value.Table.Families);

    [Fact]
    public void The_shipped_page_is_what_the_command_writes() =>
        Assert.Equal(
            CalibrationPage.Markdown(s_calibration.Value, PublishedComparison.Predict(
                ModelConfig.Load(RepositoryRoot.File("models", "ling-plus.json")), PlanningFixture.Catalogue, s_calibration.Value.Table)),
            File.ReadAllText(RepositoryRoot.File("docs", "evidence", "planner.md")));
}
