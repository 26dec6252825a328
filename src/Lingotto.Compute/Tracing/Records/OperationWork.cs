namespace Lingotto.Compute;

/// <summary>The least an operation computes and moves, each operand counted once. Zero where unknown.</summary>
/// <param name="Flops">Floating-point operations, 2 for a multiply-add; counted for matmuls and attention only.</param>
/// <param name="Bytes">Operands read and results written.</param>
/// <param name="Rows">T or R of the operation.</param>
/// <param name="Columns">Outputs of a matmul, else the last dimension.</param>
/// <param name="Depth">The dimension that a matmul sums over, or the length of a sequence.</param>
/// <param name="Groups">Experts of a grouped matmul.</param>
public readonly record struct OperationWork(double Flops, double Bytes, int Rows = 0, int Columns = 0, int Depth = 0, int Groups = 0);
