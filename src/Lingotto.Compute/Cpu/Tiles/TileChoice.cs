namespace Lingotto.Compute;

/// <summary>Which tiles a device multiplies with.</summary>
internal enum TileChoice
{
    /// <summary>Assembled ones where the chip runs them at the vector width of the device, those in C# elsewhere.</summary>
    Fastest,

    /// <summary>Those in C# at the vector width of the device.</summary>
    Lanes,

    /// <summary><see cref="EmulatedTile"/>: the operands and the arithmetic of the assembled ones on any chip, slowly; for tests.</summary>
    Emulated,
}
