using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Lingotto.Compute;

/// <summary>
/// Writes one kernel of <see cref="AssembledTile"/>. Registers: zmm0-3 the panel, zmm4-7 a word of each row in turn, zmm8-31 the
/// accumulators, row by row; r8-r13 the rows, rdx the offset in them, rax the panel, rbp the result, rbx rows left.
/// </summary>
/// <param name="product">The kind of words.</param>
/// <param name="rows">Rows of the tile: 6, or 1 for a token alone.</param>
/// <param name="vectors">Registers of a panel.</param>
/// <param name="step">Bytes between words of a row.</param>
internal sealed class TileAssembler(TileProduct product, int rows, int vectors, int step)
{
    private const int Unroll = 4, VectorBytes = 64, PanelBytes = 4 * AssembledTile.Columns;

    private static readonly AssemblerRegisterZMM[] s_zmm =
    [
        zmm0, zmm1, zmm2, zmm3, zmm4, zmm5, zmm6, zmm7, zmm8, zmm9, zmm10, zmm11, zmm12, zmm13, zmm14, zmm15,
        zmm16, zmm17, zmm18, zmm19, zmm20, zmm21, zmm22, zmm23, zmm24, zmm25, zmm26, zmm27, zmm28, zmm29, zmm30, zmm31,
    ];

    private static readonly AssemblerRegister64[] s_rows = [r8, r9, r10, r11, r12, r13];

    private static readonly AssemblerRegister64[] s_saved = [rbx, rbp, r12, r13, r14];

    /// <summary>The code of the kernel.</summary>
    public byte[] Assemble()
    {
        var c = new Assembler(64);
        foreach (AssemblerRegister64 register in s_saved)
        {
            c.push(register);
        }

        c.mov(rsi, Argument(nameof(TileArguments.A)));
        c.mov(rbp, Argument(nameof(TileArguments.C)));
        c.mov(r14, Argument(nameof(TileArguments.CStep)));
        c.mov(rbx, Argument(nameof(TileArguments.Rows)));
        c.kmovw(k1, __dword_ptr[rdi + OffsetOf(nameof(TileArguments.LastMask))]);

        Label tile = c.CreateLabel(), stored = c.CreateLabel();
        c.Label(ref tile);
        Products(c);
        StoreRows(c, stored);
        c.Label(ref stored);
        c.add(rsi, rows * 8);
        c.sub(rbx, rows);
        c.jg(tile);

        c.vzeroupper();
        foreach (AssemblerRegister64 register in s_saved.Reverse())
        {
            c.pop(register);
        }

        c.ret();
        using var code = new MemoryStream();
        c.Assemble(new StreamCodeWriter(code), 0);
        return code.ToArray();
    }

    private void Products(Assembler c)
    {
        for (int row = 0; row < rows; row++)
        {
            c.mov(s_rows[row], __[rsi + 8 * row]);
        }

        for (int i = 0; i < rows * 4; i++)
        {
            c.vpxord(s_zmm[8 + i], s_zmm[8 + i], s_zmm[8 + i]);
        }

        // The result's cache lines are fetched while the multiply-adds run.
        c.mov(rax, rbp);
        for (int row = 0; row < rows; row++)
        {
            for (int v = 0; v < vectors; v++)
            {
                c.prefetchw(__byte_ptr[rax + v * VectorBytes]);
            }

            c.add(rax, r14);
        }

        c.mov(rax, Argument(nameof(TileArguments.B)));
        c.xor(edx, edx);
        c.mov(rcx, Argument(nameof(TileArguments.Words)));
        c.shr(rcx, 2);
        Repeat(c, Unroll);
        c.mov(rcx, Argument(nameof(TileArguments.Words)));
        c.and(ecx, Unroll - 1);
        Repeat(c, 1);
    }

    /// <summary>rcx times <paramref name="unroll"/> words; nothing when rcx is 0, which the flags already say.</summary>
    private void Repeat(Assembler c, int unroll)
    {
        Label loop = c.CreateLabel(), done = c.CreateLabel();
        c.jz(done);
        c.Label(ref loop);
        for (int u = 0; u < unroll; u++)
        {
            for (int v = 0; v < vectors; v++)
            {
                c.vmovdqu32(s_zmm[v], __zmmword_ptr[rax + u * PanelBytes + v * VectorBytes]);
            }

            for (int row = 0; row < rows; row++)
            {
                AssemblerRegisterZMM word = s_zmm[4 + row % 4];
                c.vpbroadcastd(word, __dword_ptr[s_rows[row] + rdx + u * step]);
                for (int v = 0; v < vectors; v++)
                {
                    MultiplyAdd(c, s_zmm[8 + row * 4 + v], word, s_zmm[v]);
                }
            }
        }

        c.add(rax, unroll * PanelBytes);
        c.add(rdx, unroll * step);
        c.dec(rcx);
        c.jnz(loop);
        c.Label(ref done);
    }

    private void MultiplyAdd(Assembler c, AssemblerRegisterZMM sum, AssemblerRegisterZMM a, AssemblerRegisterZMM b)
    {
        if (product == TileProduct.Bf16Pairs)
        {
            c.vdpbf16ps(sum, a, b);
        }
        else
        {
            c.vfmadd231ps(sum, a, b);
        }
    }

    /// <summary>Stores the rows that exist, then jumps; rbp ends at the next tile when all of them did.</summary>
    private void StoreRows(Assembler c, Label stored)
    {
        Label overwrite = c.CreateLabel();
        c.cmp(__qword_ptr[rdi + OffsetOf(nameof(TileArguments.Accumulate))], 0);
        c.je(overwrite);
        StoreRows(c, stored, accumulate: true);
        c.jmp(stored);
        c.Label(ref overwrite);
        StoreRows(c, stored, accumulate: false);
    }

    private void StoreRows(Assembler c, Label stored, bool accumulate)
    {
        for (int row = 0; row < rows; row++)
        {
            for (int v = 0; v < vectors; v++)
            {
                AssemblerRegisterZMM sum = s_zmm[8 + row * 4 + v], old = s_zmm[v];
                AssemblerMemoryOperand place = __zmmword_ptr[rbp + v * VectorBytes];
                bool last = v == vectors - 1;
                if (accumulate)
                {
                    c.vmovups(last ? old.k1.z : old, place);
                    c.vaddps(sum, sum, old);
                }

                c.vmovups(last ? place.k1 : place, sum);
            }

            c.add(rbp, r14);
            if (row < rows - 1)
            {
                c.cmp(rbx, row + 1);
                c.jle(stored);
            }
        }
    }

    private static AssemblerMemoryOperand Argument(string field) => __qword_ptr[rdi + OffsetOf(field)];

    private static int OffsetOf(string field) => (int)System.Runtime.InteropServices.Marshal.OffsetOf<TileArguments>(field);
}
