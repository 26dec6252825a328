using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>Fresh weights: matrices normal with mean 0, norms one, buffers zero.</summary>
internal static class WeightInitialization
{
    /// <summary>Weights that one thread draws at a time.</summary>
    private const int Share = 4096;

    public static void Draw(Device device, IReadOnlyList<ParameterBlock> blocks, double deviation, ulong seed)
    {
        var random = new CounterRandom(seed, RandomPurpose.Initialization);
        ulong number = 0;
        var values = new float[TensorChunks.Length];
        foreach (Parameter parameter in blocks.SelectMany(block => block.Parameters))
        {
            foreach ((Tensor part, int first) in TensorChunks.Of(parameter.Value))
            {
                int length = (int)part.Length;
                switch (parameter.Role)
                {
                    case ParameterRole.Matrix:
                        ulong stream = number;
                        Parallel.For(0, (length + Share - 1) / Share,
                            share => Fill(values, share * Share, length, (ulong)first, random, stream, deviation));
                        break;
                    default:
                        values.AsSpan(0, length).Fill(parameter.Role == ParameterRole.Norm ? 1f : 0f);
                        break;
                }

                device.Upload<float>(values.AsSpan(0, length), part);
            }

            number++;
        }
    }

    private static void Fill(float[] values, int begin, int length, ulong first, CounterRandom random, ulong stream, double deviation)
    {
        for (int i = begin; i < Math.Min(begin + Share, length); i++)
        {
            values[i] = (float)(deviation * random.Normal(stream, first + (ulong)i));
        }
    }
}
