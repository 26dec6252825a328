namespace Lingotto.Diagnostics;

/// <summary>A kind of misfortune.</summary>
public enum TortureSuite
{
    /// <summary>SIGKILL at random moments of a run, half of them inside a save; two starters on one folder.</summary>
    Kills,

    /// <summary>Every state that a power cut during a save may leave.</summary>
    Crashes,

    /// <summary>Flipped bits, cut and exchanged parts in a checkpoint.</summary>
    Bits,

    /// <summary>A disk that is full, fails to flush or turns read-only.</summary>
    Disk,
}
