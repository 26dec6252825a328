namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <summary>An operation on a prepared weight, written once for every tile.</summary>
    private interface ITileOperation
    {
        /// <typeparam name="TTile">The tile that the weight is packed for.</typeparam>
        /// <typeparam name="E">How operands in single precision are read: rounded where the matmul is in bfloat16.</typeparam>
        void Run<TTile, E>()
            where TTile : struct, ITile
            where E : struct, IElement;
    }

    /// <summary>The only choice of a tile: by the layout of the weight and the precision of its matmuls.</summary>
    private void WithTile<TOperation>(CpuPreparedWeight weight, TOperation operation)
        where TOperation : struct, ITileOperation
    {
        switch (weight.Assembled, weight.Precision == DType.BF16)
        {
            case (true, true) when _tiles == TileChoice.Emulated:
                operation.Run<WordTile<PairWord, EmulatedTile>, RoundedElement>();
                break;
            case (true, true):
                operation.Run<WordTile<PairWord, AssembledTile>, RoundedElement>();
                break;
            case (true, false) when _tiles == TileChoice.Emulated:
                operation.Run<WordTile<FloatWord, EmulatedTile>, F32Element>();
                break;
            case (true, false):
                operation.Run<WordTile<FloatWord, AssembledTile>, F32Element>();
                break;
            case (false, true):
                operation.Run<LanesTile, RoundedElement>();
                break;
            default:
                operation.Run<LanesTile, F32Element>();
                break;
        }
    }

    private int PanelCount<TTile>(int columns)
        where TTile : struct, ITile => (columns + TTile.PanelColumns(Isa) - 1) / TTile.PanelColumns(Isa);

    /// <summary>Words of the panels of a right operand [depth, columns].</summary>
    private int PanelWords<TTile>(int depth, int columns)
        where TTile : struct, ITile =>
        checked((int)((long)PanelCount<TTile>(columns) * TTile.PanelColumns(Isa) * TTile.Words(depth)));

    private readonly struct PackOperation(CpuDevice device, CpuPreparedWeight w) : ITileOperation
    {
        public void Run<TTile, E>()
            where TTile : struct, ITile
            where E : struct, IElement
        {
            void* backward = w.BackwardPanels.IsAbsent ? null : Pointer(w.BackwardPanels);
            var pack = new PackWeight<TTile, E>(
                Floats(w.Weight, w.Weight.Length), (uint*)Pointer(w.ForwardPanels), (uint*)backward, w.Groups, w.Outputs, w.Inputs,
                TTile.PanelColumns(device.Isa));
            device._workers.For(pack.Tasks, 1, pack);
        }
    }

    private readonly struct MatmulOperation<TEpilogue>(CpuDevice device, MatmulOperands operands, TEpilogue epilogue) : ITileOperation
        where TEpilogue : unmanaged, IRangeKernel
    {
        public void Run<TTile, E>()
            where TTile : struct, ITile
            where E : struct, IElement
        {
            if (operands.X.DType == DType.BF16)
            {
                device.Matmul<TTile, Bf16Element, TEpilogue>(operands, epilogue);
            }
            else
            {
                device.Matmul<TTile, E, TEpilogue>(operands, epilogue);
            }
        }
    }

    private readonly struct GradientOperation(CpuDevice device, GradientOperands operands) : ITileOperation
    {
        public void Run<TTile, E>()
            where TTile : struct, ITile
            where E : struct, IElement
        {
            switch (operands.GradY.DType == DType.BF16, operands.X.DType == DType.BF16)
            {
                case (true, true):
                    device.Gradient<TTile, Bf16Element, Bf16Element>(operands);
                    break;
                case (true, false):
                    device.Gradient<TTile, Bf16Element, E>(operands);
                    break;
                case (false, true):
                    device.Gradient<TTile, E, Bf16Element>(operands);
                    break;
                default:
                    device.Gradient<TTile, E, E>(operands);
                    break;
            }
        }
    }
}
