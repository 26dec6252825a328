using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>Fresh weights: matrices normal with mean 0, norms one, buffers zero.</summary>
internal static class WeightInitialization
{
    public static void Draw(Device device, IReadOnlyList<ParameterBlock> blocks, double deviation, ulong seed)
    {
        var random = new CounterRandom(seed, RandomPurpose.Initialization);
        ulong number = 0;
        foreach (Parameter parameter in blocks.SelectMany(block => block.Parameters))
        {
            var values = new float[parameter.Value.Length];
            switch (parameter.Initialization)
            {
                case ParameterInitialization.Normal:
                    ulong stream = number;
                    Parallel.For(0, (values.Length + 4095) / 4096, chunk => Fill(values, chunk * 4096, random, stream, deviation));
                    break;
                case ParameterInitialization.One:
                    Array.Fill(values, 1f);
                    break;
                default:
                    break;
            }

            device.Upload<float>(values, parameter.Value);
            number++;
        }
    }

    private static void Fill(float[] values, int first, CounterRandom random, ulong stream, double deviation)
    {
        for (int i = first; i < Math.Min(first + 4096, values.Length); i++)
        {
            values[i] = (float)(deviation * random.Normal(stream, (ulong)i));
        }
    }
}
