using Lingotto.Tests.Formats;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public sealed class MetricsLogTests
{
    [Fact]
    public void Resuming_drops_later_steps_and_the_line_that_a_crash_cut_short()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("metrics.jsonl");
        File.WriteAllText(path, "{\"kind\":\"step\",\"step\":1}\n{\"kind\":\"step\",\"step\":2}\n{\"kind\":\"held_out\",\"step\":2}\n{\"kind\":\"step\",\"st");
        using (var log = new MetricsLog(path, resumedStep: 1))
            log.Write(new EvaluationMetrics(2, double.NaN, 1.5, 100, false));
        Assert.Equal(
            ["{\"kind\":\"step\",\"step\":1}", "{\"kind\":\"held_out\",\"step\":2,\"loss\":null,\"bits_per_byte\":1.5,\"tokens\":100,\"complete\":false}"],
            File.ReadAllLines(path));
    }
}
