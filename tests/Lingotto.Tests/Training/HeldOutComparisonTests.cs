using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

/// <summary>What merge says of its result.</summary>
public sealed class HeldOutComparisonTests
{
    [Fact]
    public void A_checkpoint_has_the_held_out_loss_that_its_run_measured()
    {
        using TinyRun run = new(TinyModels.Ling1);
        using RecordingObserver heard = run.Train();
        EvaluationMetrics measured = HeldOutComparison.Measure(run.Folder, [heard.Result!.CheckpointFolder], threads: 1, CancellationToken.None)!.Single();
        Assert.Equal(heard.Result.HeldOut!.Loss, measured.Loss, 1e-9);
        Assert.Equal(heard.Result.HeldOut.Tokens, measured.Tokens);
    }

    [Fact]
    public void A_folder_that_holds_no_run_is_refused()
    {
        using var folder = new Formats.TemporaryFolder();
        RunException fault = Assert.Throws<RunException>(() => HeldOutComparison.Measure(folder.Path, [folder.Path], 1, CancellationToken.None));
        Assert.Contains("holds no run", fault.Message, StringComparison.Ordinal);
    }
}
