namespace Lingotto.Formats;

/// <summary>Spelling and size of every <see cref="SafetensorsDType"/>, and the bytes of a shape.</summary>
internal static class SafetensorsDTypes
{
    private static readonly (SafetensorsDType DType, string Name, int Bits)[] s_all =
    [
        (SafetensorsDType.Bool, "BOOL", 8),
        (SafetensorsDType.F4, "F4", 4),
        (SafetensorsDType.F6E2M3, "F6_E2M3", 6),
        (SafetensorsDType.F6E3M2, "F6_E3M2", 6),
        (SafetensorsDType.U8, "U8", 8),
        (SafetensorsDType.I8, "I8", 8),
        (SafetensorsDType.F8E5M2, "F8_E5M2", 8),
        (SafetensorsDType.F8E4M3, "F8_E4M3", 8),
        (SafetensorsDType.F8E8M0, "F8_E8M0", 8),
        (SafetensorsDType.F8E4M3Fnuz, "F8_E4M3FNUZ", 8),
        (SafetensorsDType.F8E5M2Fnuz, "F8_E5M2FNUZ", 8),
        (SafetensorsDType.I16, "I16", 16),
        (SafetensorsDType.U16, "U16", 16),
        (SafetensorsDType.F16, "F16", 16),
        (SafetensorsDType.BF16, "BF16", 16),
        (SafetensorsDType.I32, "I32", 32),
        (SafetensorsDType.U32, "U32", 32),
        (SafetensorsDType.F32, "F32", 32),
        (SafetensorsDType.C64, "C64", 64),
        (SafetensorsDType.F64, "F64", 64),
        (SafetensorsDType.I64, "I64", 64),
        (SafetensorsDType.U64, "U64", 64),
    ];

    public static string Name(SafetensorsDType dtype) => s_all[(int)dtype].Name;

    public static int Bits(SafetensorsDType dtype) => s_all[(int)dtype].Bits;

    public static bool TryParse(string name, out SafetensorsDType dtype)
    {
        int index = Array.FindIndex(s_all, entry => entry.Name == name);
        dtype = index < 0 ? default : s_all[index].DType;
        return index >= 0;
    }

    /// <summary>product(shape) * bits / 8, or a fault: a negative dimension, more than 64 bits, a broken byte.</summary>
    public static long ByteLength(SafetensorsDType dtype, long[] shape, string source, string tensor)
    {
        try
        {
            long bits = Bits(dtype);
            foreach (long dimension in shape)
            {
                if (dimension < 0)
                {
                    throw new SafetensorsException(source, tensor, $"shape has the negative dimension {dimension}; the file is damaged");
                }

                bits = checked(bits * dimension);
            }

            return bits % 8 == 0 ? bits / 8
                : throw new SafetensorsException(source, tensor, $"{bits} bits are not whole bytes; pad the last dimension");
        }
        catch (OverflowException e)
        {
            throw new SafetensorsException(source, tensor, "the shape's product overflows 64 bits; the file is damaged", e);
        }
    }
}
