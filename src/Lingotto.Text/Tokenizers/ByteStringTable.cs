using System.Buffers.Binary;
using System.Numerics;

namespace Lingotto.Text;

/// <summary>Byte strings numbered 0, 1, 2, ... in order of arrival: an open-addressing table over one arena of bytes.</summary>
internal sealed class ByteStringTable
{
    private const int InitialSlots = 1 << 12;

    // The hash starts from a random number of this process, so that colliding strings cannot be prepared.
    private static readonly ulong s_hashSeed = (ulong)Random.Shared.NextInt64();

    // A slot is the hash above the number plus one; 0 is empty.
    private ulong[] _slots = new ulong[InitialSlots];
    private int[] _ends = new int[InitialSlots / 2];
    private byte[] _arena = new byte[InitialSlots * 8];

    public int Count { get; private set; }

    /// <summary>Bytes held by all strings together.</summary>
    public int ByteCount => Count == 0 ? 0 : _ends[Count - 1];

    public ReadOnlySpan<byte> this[int number]
    {
        get
        {
            int start = number == 0 ? 0 : _ends[number - 1];
            return _arena.AsSpan(start, _ends[number] - start);
        }
    }

    /// <summary>The number of the string, or -1.</summary>
    public int Find(ReadOnlySpan<byte> bytes) => Probe(bytes, Hash(bytes), out _);

    public int GetOrAdd(ReadOnlySpan<byte> bytes, out bool isNew)
    {
        uint hash = Hash(bytes);
        int number = Probe(bytes, hash, out int slot);
        isNew = number < 0;
        return isNew ? Add(bytes, hash, slot) : number;
    }

    public void Clear()
    {
        Array.Clear(_slots);
        Count = 0;
    }

    private int Probe(ReadOnlySpan<byte> bytes, uint hash, out int slot)
    {
        ulong[] slots = _slots;
        int mask = slots.Length - 1;
        for (slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            ulong entry = slots[slot];
            if (entry == 0)
            {
                return -1;
            }

            if ((uint)(entry >> 32) == hash && this[(int)(uint)entry - 1].SequenceEqual(bytes))
            {
                return (int)(uint)entry - 1;
            }
        }
    }

    private int Add(ReadOnlySpan<byte> bytes, uint hash, int slot)
    {
        int start = ByteCount;
        int end = checked(start + bytes.Length);
        if (end > _arena.Length)
        {
            Array.Resize(ref _arena, (int)Math.Min(Math.Max(2L * _arena.Length, end), Array.MaxLength));
        }

        if (Count == _ends.Length)
        {
            Array.Resize(ref _ends, checked(2 * Count));
        }

        bytes.CopyTo(_arena.AsSpan(start));
        _ends[Count] = end;
        _slots[slot] = ((ulong)hash << 32) | (uint)++Count;
        if (Count * 2L > _slots.Length)
        {
            Grow();
        }

        return Count - 1;
    }

    private void Grow()
    {
        ulong[] old = _slots;
        _slots = new ulong[checked(old.Length * 2)];
        int mask = _slots.Length - 1;
        foreach (ulong entry in old)
        {
            if (entry == 0)
            {
                continue;
            }

            int slot = (int)(entry >> 32) & mask;
            while (_slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }

            _slots[slot] = entry;
        }
    }

    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        const ulong multiplier = 0x9E3779B97F4A7C15;
        ulong hash = s_hashSeed ^ ((ulong)bytes.Length * multiplier);
        while (bytes.Length >= 8)
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        ulong tail = 0;
        if (bytes.Length >= 4)
        {
            tail = BinaryPrimitives.ReadUInt32LittleEndian(bytes) | ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]) << 32);
        }
        else if (!bytes.IsEmpty)
        {
            tail = bytes[0] | ((ulong)bytes[bytes.Length / 2] << 8) | ((ulong)bytes[^1] << 16);
        }

        return (uint)(Mix(hash ^ tail) >> 32);

        static ulong Mix(ulong value) => BitOperations.RotateLeft(value * multiplier, 29) * 0xBF58476D1CE4E5B9;
    }
}
