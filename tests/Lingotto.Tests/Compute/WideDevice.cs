using Lingotto.Compute;

namespace Lingotto.Tests;

/// <summary>
/// The reference with every F32 tensor stored as F64, so that differences of a whole model are as sharp as those of one
/// operation. The caller goes on speaking floats; the doubles are had by the two Exact methods.
/// </summary>
internal sealed class WideDevice(ReferenceDevice inner) : ForwardingDevice(inner)
{
    /// <summary>The doubles of the last download.</summary>
    public double[] LastDownload { get; private set; } = [];

    protected override int Widening => 2;

    public void UploadExact(ReadOnlySpan<double> source, Tensor destination) => Inner.Upload(source, Map(destination));

    public double[] DownloadExact(Tensor source)
    {
        var values = new double[source.Length];
        Inner.Download<double>(Map(source), values);
        return values;
    }

    public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
    {
        if (source.ToArray() is float[] floats)
        {
            UploadExact([.. floats.Select(x => (double)x)], destination);
        }
        else
        {
            Inner.Upload(source, Map(destination));
        }
    }

    public override void Download<T>(Tensor source, Span<T> destination)
    {
        if (typeof(T) != typeof(float))
        {
            Inner.Download(Map(source), destination);
            return;
        }

        LastDownload = DownloadExact(source);
        for (int i = 0; i < destination.Length; i++)
        {
            destination[i] = (T)(object)(float)LastDownload[i];
        }
    }

    protected override void Invoke(Action operation) => operation();

    protected override Tensor Map(Tensor tensor)
    {
        Tensor mapped = base.Map(tensor);
        return mapped.IsAbsent || mapped.DType == DType.I32 ? mapped
            : new Tensor(mapped.Block, mapped.ByteOffset, DType.F64, ShapeOf(mapped));
    }
}
