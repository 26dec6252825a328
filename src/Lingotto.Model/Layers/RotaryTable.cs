using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>Cosines and sines of position * theta^(-2i/R), [P, R]: R/2 cosines, then R/2 sines (Su et al., 2021).</summary>
internal sealed class RotaryTable
{
    public RotaryTable(ModelConfig config, int positions, Arena arena)
    {
        CosSin = arena.Allocate(DType.F32, positions, config.RotaryDim);
        Theta = config.RopeTheta;
    }

    /// <summary>[P, R].</summary>
    public Tensor CosSin { get; }

    private double Theta { get; }

    /// <summary>Fills the table; once, after the memory is real.</summary>
    public void Upload(Device device)
    {
        int positions = CosSin.Rows, rotated = CosSin.Columns;
        var table = new float[positions * rotated];
        for (int p = 0; p < positions; p++)
        {
            for (int i = 0; i < rotated / 2; i++)
            {
                (double sin, double cos) = Math.SinCos(p * Math.Pow(Theta, -2.0 * i / rotated));
                table[p * rotated + i] = (float)cos;
                table[p * rotated + rotated / 2 + i] = (float)sin;
            }
        }

        device.Upload<float>(table, CosSin);
    }
}
