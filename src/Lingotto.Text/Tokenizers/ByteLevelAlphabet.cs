namespace Lingotto.Text;

/// <summary>The byte-level alphabet: every byte is written as one printable character in a vocabulary file.</summary>
/// <remarks>
/// Bytes 33-126, 161-172 and 174-255 are code points of the same number; the other 68 become 256, 257, ... in byte order
/// (the convention of GPT-2, kept by every byte-level tokenizer.json).
/// </remarks>
internal static class ByteLevelAlphabet
{
    private const int CharacterCount = 256 + 68;

    private static readonly char[] s_characterOfByte = BuildCharacters();
    private static readonly short[] s_byteOfCharacter = Invert(s_characterOfByte);

    /// <summary>The 256 bytes in order of their characters: the order of base ids in a trained vocabulary.</summary>
    public static byte[] BytesInCharacterOrder { get; } =
        [.. Enumerable.Range(0, 256).OrderBy(value => s_characterOfByte[value]).Select(value => (byte)value)];

    public static string ToCharacters(ReadOnlySpan<byte> bytes)
    {
        var characters = new char[bytes.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            characters[i] = s_characterOfByte[bytes[i]];
        }

        return new string(characters);
    }

    /// <summary>Returns the bytes of a vocabulary entry; false when a character is outside the alphabet.</summary>
    public static bool TryToBytes(string characters, out byte[] bytes)
    {
        bytes = new byte[characters.Length];
        for (int i = 0; i < characters.Length; i++)
        {
            int value = characters[i] < CharacterCount ? s_byteOfCharacter[characters[i]] : -1;
            if (value < 0)
            {
                return false;
            }

            bytes[i] = (byte)value;
        }

        return true;
    }

    private static char[] BuildCharacters()
    {
        var characters = new char[256];
        char next = (char)256;
        for (int value = 0; value < 256; value++)
        {
            bool isItself = value is (>= 33 and <= 126) or (>= 161 and <= 172) or >= 174;
            characters[value] = isItself ? (char)value : next++;
        }

        return characters;
    }

    private static short[] Invert(char[] characters)
    {
        var bytes = new short[CharacterCount];
        Array.Fill(bytes, (short)-1);
        for (int value = 0; value < 256; value++)
        {
            bytes[characters[value]] = (short)value;
        }

        return bytes;
    }
}
