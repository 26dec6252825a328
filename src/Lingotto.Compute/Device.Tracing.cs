namespace Lingotto.Compute;

public abstract partial class Device
{
    /// <summary>
    /// Says which part of the network the operations that follow belong to, until the next call. Only a device that records
    /// listens (<see cref="TracedDevice"/>); results never depend on it.
    /// </summary>
    /// <param name="place">A name that lives as long as the network, such as <c>layers.3</c>.</param>
    public virtual void Enter(string place)
    {
    }
}
