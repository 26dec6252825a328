namespace Lingotto.Planning;

/// <summary>Time of a pass on one device by parts, seconds.</summary>
internal struct PassTime
{
    /// <summary>The parts.</summary>
    public double Matmul, Attention, Memory, TensorLink, ExpertLink, ContextLink, Host;

    /// <summary>Sum of all parts.</summary>
    public readonly double Total => Matmul + Attention + Memory + TensorLink + ExpertLink + ContextLink + Host;

    /// <summary>Computation, which traffic may overlap with.</summary>
    public readonly double Compute => Matmul + Attention + Memory + Host;

    /// <summary>Adds another pass a number of times.</summary>
    public void Add(in PassTime other, double times)
    {
        Matmul += times * other.Matmul;
        Attention += times * other.Attention;
        Memory += times * other.Memory;
        TensorLink += times * other.TensorLink;
        ExpertLink += times * other.ExpertLink;
        ContextLink += times * other.ContextLink;
        Host += times * other.Host;
    }

    /// <summary>
    /// Scales computation to another software release: kernels and host, but not links, which software does not make faster.
    /// </summary>
    public void ScaleComputation(double factor)
    {
        Matmul *= factor;
        Attention *= factor;
        Memory *= factor;
        Host *= factor;
    }

    /// <summary>
    /// Sets the time that the device waits for its host: (device^3 + host^3)^(1/3) - device. This is close to 0 if the host is fast,
    /// and close to host - device if the host is slow.
    /// </summary>
    public void WaitForHost(double hostSeconds)
    {
        double device = Total;
        Host = Math.Cbrt(device * device * device + hostSeconds * hostSeconds * hostSeconds) - device;
    }
}
