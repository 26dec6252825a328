using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// Brings tokens to the experts of their top-k and brings the results back. Forward and backward read the rows that the dispatcher
/// names in <see cref="DispatchActivations"/>, never the layer's input, so that the rows may come from other ranks.
/// </summary>
internal interface ITokenDispatcher
{
    /// <summary>Memory for the routing of one micro-batch of <paramref name="tokens"/> tokens through one layer.</summary>
    /// <param name="config">The model.</param>
    /// <param name="tokens">T.</param>
    /// <param name="arena">Memory that lives as long as the activations of the layer.</param>
    /// <param name="precision">Storage of the rows that experts read.</param>
    DispatchActivations Allocate(ModelConfig config, int tokens, Arena arena, DType precision);

    /// <summary>Sorts the top-k choices by expert; sets the rows of the local experts and the tensor that these rows index.</summary>
    void Dispatch(Tensor xTD, Tensor topKExpertIdsTK, DispatchActivations a);

    /// <summary>y[t,:] += sum_k weight[t,k] * the result of choice k.</summary>
    void Combine(Tensor rowsRD, Tensor weightsTK, DispatchActivations a, Tensor yTD);

    /// <summary>Gradients of rows and weights from the gradient of y.</summary>
    void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor weightsTK, DispatchActivations a, Tensor gradRowsRD, Tensor gradWeightsTK);

    /// <summary>gradX[t,:] += the gradients of the rows of token t.</summary>
    void DispatchBackward(Tensor gradRowsRD, DispatchActivations a, Tensor gradXTD);
}
