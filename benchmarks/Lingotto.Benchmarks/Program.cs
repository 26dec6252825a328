using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace Lingotto.Benchmarks;

/// <summary>Single kernels at the shapes of models/moe-bench.json; bench of the command line measures whole steps.</summary>
internal static class Program
{
    // In process: nothing is built or restored while measuring.
    private static void Main(string[] arguments) => BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(
        arguments, DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance)));
}
