namespace Lingotto.Formats;

/// <summary>Whether queries and keys pass an RMSNorm before the rotary embedding.</summary>
public enum QkNormKind
{
    /// <summary>No norm.</summary>
    None,

    /// <summary>Over each head's dimensions; one weight [D] shared by all heads.</summary>
    Head,

    /// <summary>Over the full projected width before the split into heads; weights [A*D] and [K*D].</summary>
    Full,
}
