namespace Lingotto.Formats;

/// <summary>The sizes of multi-head latent attention (MLA), present in DeepSeek models only.</summary>
/// <remarks>
/// Queries come from one matmul, or through a latent of <see cref="QLoraRank"/>; keys and values through a shared latent of
/// <see cref="KvLoraRank"/>. A query or key head is [nope | rope]; the rope part of the key is shared by all heads.
/// </remarks>
public sealed record LatentAttention
{
    /// <summary>Width of the query latent; 0 when queries are projected directly.</summary>
    public int QLoraRank { get; init; }

    /// <summary>Width of the key-value latent.</summary>
    public required int KvLoraRank { get; init; }

    /// <summary>Channels per head without position.</summary>
    public required int QkNopeHeadDim { get; init; }

    /// <summary>Channels per head that rotate.</summary>
    public required int QkRopeHeadDim { get; init; }

    /// <summary>Channels per value head.</summary>
    public required int VHeadDim { get; init; }

    /// <summary>Channels per query or key head.</summary>
    public int QkHeadDim => QkNopeHeadDim + QkRopeHeadDim;
}
