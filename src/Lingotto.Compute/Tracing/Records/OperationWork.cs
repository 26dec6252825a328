namespace Lingotto.Compute;

/// <summary>What an operation computes and moves at least: every operand once. Zero where unknown.</summary>
/// <param name="Flops">Floating-point operations, 2 for a multiply-add; only of products, which is where the arithmetic is.</param>
/// <param name="Bytes">Operands read and results written.</param>
/// <param name="Rows">T or R of the operation.</param>
/// <param name="Columns">Outputs of a product, else the last dimension.</param>
/// <param name="Depth">The dimension a product sums over, or the length of a sequence.</param>
/// <param name="Groups">Experts of a grouped product.</param>
public readonly record struct OperationWork(double Flops, double Bytes, int Rows = 0, int Columns = 0, int Depth = 0, int Groups = 0);
