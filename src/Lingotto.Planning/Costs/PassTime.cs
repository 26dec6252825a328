namespace Lingotto.Planning;

/// <summary>Where the time of a pass goes on one device, seconds.</summary>
internal struct PassTime
{
    public double Matmul, Attention, Memory, TensorLink, ExpertLink, ContextLink, Host;

    public readonly double Total => Matmul + Attention + Memory + TensorLink + ExpertLink + ContextLink + Host;

    /// <summary>Computation, which traffic may hide behind.</summary>
    public readonly double Compute => Matmul + Attention + Memory + Host;

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

    /// <summary>Another release of the software: kernels and host, not links, which the software does not make faster.</summary>
    public void ScaleComputation(double factor)
    {
        Matmul *= factor;
        Attention *= factor;
        Memory *= factor;
        Host *= factor;
    }

    /// <summary>
    /// What the device waits for its host, which runs ahead: (device^3 + host^3)^(1/3) - device, next to nothing while the host is
    /// quick and the difference when it is slow.
    /// </summary>
    public void WaitForHost(double hostSeconds)
    {
        double device = Total;
        Host = Math.Cbrt(device * device * device + hostSeconds * hostSeconds * hostSeconds) - device;
    }
}
