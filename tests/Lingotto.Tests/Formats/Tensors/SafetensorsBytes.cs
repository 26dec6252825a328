using System.Buffers.Binary;
using System.Text;
using Lingotto.Formats;

namespace Lingotto.Tests.Formats;

/// <summary>Safetensors files put together by hand, sound or not.</summary>
internal static class SafetensorsBytes
{
    public static byte[] Make(string header, int dataLength) => Make(Encoding.UTF8.GetBytes(header), dataLength);

    public static byte[] Make(byte[] header, int dataLength)
    {
        byte[] file = new byte[8 + header.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(file, (ulong)header.Length);
        header.CopyTo(file, 8);
        for (int i = 8 + header.Length; i < file.Length; i++)
        {
            file[i] = (byte)(i * 31);
        }

        return file;
    }

    public static string Entry(string name, string dtype, string shape, string offsets) =>
        $$""" "{{name}}":{"dtype":"{{dtype}}","shape":[{{shape}}],"data_offsets":[{{offsets}}]} """;

    /// <summary>True when the file opens and all of it reads; false on the one exception allowed. Any other one escapes.</summary>
    public static bool OpensAndReads(string path, byte[] contents)
    {
        // A fresh file: rewriting one in place makes some file systems flush it.
        File.Delete(path);
        File.WriteAllBytes(path, contents);
        try
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (TensorEntry tensor in file.Tensors)
            {
                file.Read(tensor, new byte[tensor.ByteLength]);
            }

            return true;
        }
        catch (SafetensorsException)
        {
            return false;
        }
    }
}
