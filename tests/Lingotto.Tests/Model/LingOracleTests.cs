using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests.Model;

/// <summary>The whole network against PyTorch in double precision, which reads the files that we write.</summary>
public sealed class LingOracleTests(LingOracleTests.OracleRuns runs) : IClassFixture<LingOracleTests.OracleRuns>
{
    /// <summary>Of the L2 norm: f32 through a few layers.</summary>
    private const double Tolerance = 1e-5;

    [SkippableTheory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    [InlineData(nameof(TinyModels.Ling2Mtp))]
    public void Every_gradient_is_that_of_PyTorch(string model)
    {
        OracleRun run = runs.Of(model);
        NamedTensor[] gradients = [.. HuggingFaceNames.Gradients(run.Config, run.Decoder.Blocks)];
        Assert.Equal(
            run.Oracle.Keys.Where(name => name.StartsWith("gradient.", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            gradients.Select(g => "gradient." + g.Name).Order(StringComparer.Ordinal));
        IEnumerable<string> wrong =
            from gradient in gradients
            let error = RelativeError(TinyModels.Download(run.Device, gradient.Value), run.Oracle["gradient." + gradient.Name])
            where !(error <= Tolerance)
            select FormattableString.Invariant($"{gradient.Name}: {error:E2}");
        Assert.Empty(wrong);
    }

    [SkippableTheory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    [InlineData(nameof(TinyModels.Ling2Mtp))]
    public void Losses_are_those_of_PyTorch(string model)
    {
        OracleRun run = runs.Of(model);
        (float Balance, float Z)[] routers = [.. run.Decoder.MoeLayers.Select(run.Decoder.RouterLosses)];
        AssertClose(run.Oracle["loss.cross_entropy"], run.LossSum / run.Batch.NumTargets);
        Assert.Equal(run.Oracle["loss.mtp"].Single(), run.Decoder.Statistics.MtpLossSum / run.Batch.NumTargets, 1e-5);
        AssertClose(run.Oracle["loss.cross_entropy"], run.Decoder.Loss() / run.Batch.NumTargets);
        AssertClose(run.Oracle["loss.balance"], routers.Average(r => r.Balance));
        AssertClose(run.Oracle["loss.z"], routers.Average(r => r.Z));
    }

    [SkippableTheory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    [InlineData(nameof(TinyModels.Ling2Mtp))]
    public void Logits_of_the_training_forward_are_those_of_PyTorch(string model)
    {
        OracleRun run = runs.Of(model);
        using var arena = new Arena(run.Device, (long)run.Decoder.Tokens * run.Config.VocabSize * sizeof(float));
        Tensor logitsTV = arena.Allocate(DType.F32, run.Decoder.Tokens, run.Config.VocabSize);
        run.Decoder.Logits(logitsTV);
        float[] logits = TinyModels.Download(run.Device, logitsTV);
        for (int t = 0; t < run.Decoder.Tokens; t++)
            AssertRow(run, t, logits.AsSpan(t * run.Config.VocabSize, run.Config.VocabSize));
    }

    [SkippableTheory]
    [InlineData(nameof(TinyModels.Ling1))]
    [InlineData(nameof(TinyModels.Ling2))]
    [InlineData(nameof(TinyModels.Ling2Mtp))]
    public void Logits_of_a_session_are_those_of_PyTorch_after_every_token_of_every_document(string model)
    {
        OracleRun run = runs.Of(model);
        using var loaded = new LoadedModel(run.Device, ModelConfig.Load(run.Folder));
        WeightFiles.LoadModel(run.Device, run.Folder, loaded.Config, loaded.Blocks);
        loaded.RefreshWeights();
        using var session = new DecodeSession(loaded, TinyBatch.SequenceLength);
        foreach ((int first, int length) in TinyBatch.Documents)
        {
            session.Reset();
            for (int t = first; t < first + length; t++)
                AssertRow(run, t, session.Run([run.Batch.Ids[t]]));
            session.Reset();
            AssertRow(run, first + length - 1, session.Run(run.Batch.Ids.AsSpan(first, length)));
        }
    }

    private static void AssertRow(OracleRun run, int row, ReadOnlySpan<float> logits)
    {
        ReadOnlySpan<double> expected = run.Oracle["logits"].AsSpan(row * run.Config.VocabSize, run.Config.VocabSize);
        double error = RelativeError(logits, expected);
        Assert.True(error <= Tolerance, FormattableString.Invariant($"row {row}: {error:E2}"));
    }

    private static void AssertClose(double[] expected, double actual) =>
        Assert.InRange(actual / expected.Single(), 1 - Tolerance, 1 + Tolerance);

    /// <summary>||actual - expected|| / ||expected||; 0 where both vanish.</summary>
    private static double RelativeError(ReadOnlySpan<float> actual, ReadOnlySpan<double> expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        double difference = 0, norm = 0;
        for (int i = 0; i < actual.Length; i++)
        {
            difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }

        return difference == 0 ? 0 : Math.Sqrt(difference / norm);
    }

    /// <summary>Each model is run once for all tests.</summary>
    public sealed class OracleRuns : IDisposable
    {
        private readonly Dictionary<string, OracleRun> _byModel = [];

        internal OracleRun Of(string model)
        {
            LingOracle.Require();
            if (!_byModel.TryGetValue(model, out OracleRun? run))
                _byModel.Add(model, run = new OracleRun(TinyModels.Of(model)));
            return run;
        }

        public void Dispose()
        {
            foreach (OracleRun run in _byModel.Values)
                run.Dispose();
        }
    }
}
