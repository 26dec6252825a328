namespace Lingotto.Planning;

/// <summary>
/// Computes the time of one layer of one micro-batch on one device, forward and backward. A matmul takes 2mnk / rate + ramp, and at
/// least its bytes / memory bandwidth. Everything else takes its bytes / memory bandwidth. T = b*s/c tokens; sizes are divided by t.
/// </summary>
/// <remarks>
/// Backward takes twice the matmuls (dgrad, wgrad), 2.5 times fused attention (which recomputes scores; arXiv 2205.14135), twice the bytes
/// and the same traffic. Full recomputation adds a forward; selective recomputation adds the bytes of norms and activations, and unfused
/// scores.
/// </remarks>
internal readonly ref struct LayerTime
{
    /// <summary>Rows of a matmul tile on current matrix units; fewer rows take the same time.</summary>
    private const double TileRows = 128;

    private const double FusedAttentionBackward = 2.5;

    /// <summary>
    /// Host time of backward over forward. Backward launches fewer kernels per unit of work than a forward written in Python.
    /// </summary>
    private const double HostBackward = 1.5;

    /// <summary>Host time of router, permutation and all-to-all over a dense layer.</summary>
    private const double HostOfRouting = 1;

    /// <summary>
    /// Host time of one local expert over a dense layer: grouped matmuls run expert by expert (TransformerEngine, general_grouped_gemm).
    /// </summary>
    private const double HostOfAnExpert = 0.125;

    /// <summary>Host time of a layer split over tensor ranks, which wait for each other, over an unsplit layer.</summary>
    private const double HostOfTensor = 2;

    private readonly Workload _work;
    private readonly ModelShape _model;
    private readonly ref readonly Layout _layout;
    private readonly ref readonly DeviceRates _rates;
    private readonly double _tokens;

    public LayerTime(Workload work, in Layout layout, in DeviceRates rates)
    {
        _work = work;
        _model = work.Model;
        _layout = ref layout;
        _rates = ref rates;
        _tokens = (double)layout.MicroBatch * work.SequenceLength / layout.Context;
    }

    /// <summary>Tokens of a micro-batch on one device.</summary>
    public double Tokens => _tokens;

    /// <summary>Returns the time of forward.</summary>
    public PassTime Forward(bool isMoe)
    {
        PassTime pass = default;
        AddAttention(ref pass);
        if (isMoe)
        {
            AddExperts(ref pass);
        }
        else
        {
            AddMlp(ref pass, (double)_model.DenseWidth, _model.MlpMatrices);
        }

        AddElementwise(ref pass);
        AddTensorLink(ref pass, isMoe);
        pass.WaitForHost(HostSeconds(isMoe));
        return pass;
    }

    /// <summary>Returns the time of backward with its recomputation.</summary>
    public PassTime Backward(in PassTime forward, bool isMoe)
    {
        PassTime pass = default;
        pass.Matmul = 2 * forward.Matmul;
        pass.Attention = (_work.HasFusedAttention ? FusedAttentionBackward : 2) * forward.Attention;
        pass.Memory = 2 * forward.Memory;
        pass.TensorLink = forward.TensorLink + Regather(isMoe, 0.5 * pass.Matmul);
        pass.ExpertLink = forward.ExpertLink;
        pass.ContextLink = 2 * forward.ContextLink;
        pass.WaitForHost(HostBackward * HostSeconds(isMoe));
        if (_layout.Recompute == Recompute.Full)
        {
            pass.Add(forward, 1);
        }

        if (_layout.Recompute == Recompute.Selective)
        {
            pass.Memory += 0.5 * forward.Memory;
            pass.Attention += _work.HasFusedAttention ? 0 : forward.Attention;
        }

        return pass;
    }

    /// <summary>Returns the time of the head and its loss, forward and backward.</summary>
    public PassTime Head()
    {
        PassTime pass = default;
        double columns = (double)_model.Vocabulary / _layout.Tensor;
        pass.Matmul = 3 * Matmul(_tokens, columns, _model.Hidden, isScaled: false);
        // f32 logits written, softmax read and written, gradient written.
        pass.Memory = _tokens * columns * 18 / _rates.MemoryBytesPerSecond;
        return pass;
    }

    private void AddAttention(ref PassTime pass)
    {
        double width = _model.AttentionWeights / _model.Hidden / _layout.Tensor;
        double output = _model.QueryHeads * _model.HeadWidth / _layout.Tensor;
        pass.Matmul += Matmul(_tokens, width - output, _model.Hidden) + Matmul(_tokens, _model.Hidden, output);
        double scores = _tokens * _model.ScoreFlops(_work.SequenceLength) / _layout.Tensor;
        pass.Attention += (_work.HasFusedAttention ? scores : 2 * scores) / _rates.AttentionFlops + _rates.KernelSeconds;
        if (!_work.HasFusedAttention)
        {
            // 13 bytes per score: written, softmax read and written, dropout read and written with its mask, read for values.
            pass.Memory += 13.0 * _tokens * _model.QueryHeads * _work.SequenceLength / _layout.Tensor / _rates.MemoryBytesPerSecond;
        }

        if (_layout.Context > 1)
        {
            double keys = _tokens * 4.0 * _model.KeyValueHeads * _model.HeadWidth / _layout.Tensor;
            double ring = (_layout.Context - 1) * keys / Link(_layout.Tensor * _layout.Context);
            pass.ContextLink += Math.Max(0, ring - pass.Attention);
        }
    }

    private void AddMlp(ref PassTime pass, double width, int matrices)
    {
        if (width <= 0)
        {
            return;
        }

        double columns = width / _layout.Tensor;
        pass.Matmul += Matmul(_tokens, (matrices - 1) * columns, _model.Hidden) + Matmul(_tokens, _model.Hidden, columns);
        pass.Memory += _tokens * 2 * matrices * columns / _rates.MemoryBytesPerSecond;
    }

    /// <summary>
    /// Adds router, shared experts and routed experts. A device computes T/t*k*t_e rows of width phi/t_e in E/e matmuls, each rounded up to
    /// tiles; the busiest rank computes kappa times as many.
    /// </summary>
    private void AddExperts(ref PassTime pass)
    {
        AddMlp(ref pass, _model.SharedWidth, 3);
        double local = (double)_model.Experts / _layout.Expert;
        double rows = _tokens / _layout.Tensor * _model.ExpertsPerToken * _layout.ExpertTensor * _work.ExpertImbalance;
        double tiled = local * Math.Ceiling(rows / local / TileRows) * TileRows;
        double columns = (double)_model.ExpertWidth / _layout.ExpertTensor;
        double operations = 6 * _model.Hidden * columns * (rows + Math.Min(tiled, 2 * rows)) / 2;
        double bytes = 2 * (local * 3 * _model.Hidden * columns + rows * (2 * _model.Hidden + 3 * columns));
        pass.Matmul += Math.Max(operations / _rates.MatmulFlops, bytes / _rates.MemoryBytesPerSecond) + 2 * local * _rates.KernelSeconds
            + Matmul(_tokens / _layout.Tensor, _model.Experts, _model.Hidden, isScaled: false);
        pass.Memory += (rows * (8.0 * _model.Hidden + 6 * columns + Scaling(_model.Hidden + columns))
            + _tokens / _layout.Tensor * 8.0 * _model.Experts) / _rates.MemoryBytesPerSecond + 6 * _rates.KernelSeconds;
        double exchange = Collectives.Exchange(
            _tokens / _layout.Tensor * _work.ExpertImbalance, RowBytes * _model.Hidden, _model.ExpertsPerToken,
            _layout.Expert * _layout.ExpertTensor, _rates.NodeDevices, _work.SendsOncePerNode, _model.NodeLimit, _rates);
        pass.ExpertLink += 2 * exchange * (1 - _work.ExpertOverlap * (1 - StepModel.Contention));
    }

    /// <summary>Adds two norms, two residual additions, and RoPE of queries and keys.</summary>
    private void AddElementwise(ref PassTime pass)
    {
        double split = _layout.SplitsSequence ? _layout.Tensor : 1;
        double bytes = 16.0 * _model.Hidden / split
            + 4.0 * (_model.QueryHeads + _model.KeyValueHeads) * _model.HeadWidth / _layout.Tensor;
        pass.Memory += _tokens * bytes / _rates.MemoryBytesPerSecond + 6 * _rates.KernelSeconds;
    }

    /// <summary>
    /// Adds tensor-parallel traffic around attention, and around a dense or shared MLP: all-gather and reduce-scatter of T*h, equal to an
    /// all-reduce.
    /// </summary>
    private void AddTensorLink(ref PassTime pass, bool isMoe)
    {
        if (_layout.Tensor <= 1)
        {
            return;
        }

        pass.TensorLink += TensorBlocks(isMoe)
            * Collectives.Reduce(2.0 * _tokens * _model.Hidden, _layout.Tensor, _rates.NodeDevices, _rates);
    }

    /// <summary>
    /// Returns the exposed time to gather matmul inputs again for wgrad. Each tensor rank keeps a share of the sequence and gathers the
    /// rest while dgrad runs (arXiv 2205.05198 section 4.2.2).
    /// </summary>
    private double Regather(bool isMoe, double hidingSeconds) => _layout.Tensor <= 1 || !_layout.SplitsSequence ? 0 : Math.Max(
        0, TensorBlocks(isMoe) * Collectives.Gather(2.0 * _tokens * _model.Hidden, _layout.Tensor, _rates.NodeDevices, _rates)
            - hidingSeconds);

    /// <summary>Returns the number of blocks with matmuls split over tensor ranks: attention, and a dense or shared MLP.</summary>
    private int TensorBlocks(bool isMoe) => isMoe && _model.SharedWidth == 0 ? 1 : 2;

    /// <summary>Returns the time of a matmul: 2mnk / rate, at least the time of its bytes, plus the ramp.</summary>
    private double Matmul(double m, double n, double k, bool isScaled = true)
    {
        double rate = isScaled ? _rates.MatmulFlops : _rates.MatmulFlops * _rates.PeakFlops / _rates.PeakOperandFlops;
        double bytes = 2 * (m * k + k * n + m * n);
        double casts = isScaled ? m * Scaling(k) / _rates.MemoryBytesPerSecond : 0;
        return Math.Max(2 * m * n * k / rate, bytes / _rates.MemoryBytesPerSecond) + casts + _rates.KernelSeconds;
    }

    /// <summary>Returns the bytes to quantise a row of width n to 8 or 4 bits: BF16 read, then written by rows and by columns.</summary>
    private double Scaling(double width) => _work.Precision switch
    {
        Precision.Fp8 => 4 * width,
        Precision.Fp4 => 3 * width,
        _ => 0,
    };

    /// <summary>Mean bytes of an element in the all-to-all: rows are sent in the format of matmuls and returned in BF16.</summary>
    private double RowBytes => _work.Precision == Precision.Bf16 ? 2 : 1.5;

    private double HostSeconds(bool isMoe) => _rates.HostSeconds * ((_layout.Tensor > 1 ? HostOfTensor : 1)
        + (isMoe ? HostOfRouting + HostOfAnExpert * _model.Experts / _layout.Expert : 0));

    private double Link(int ranks) => ranks <= _rates.NodeDevices ? _rates.IntraBytesPerSecond : _rates.InterBytesPerSecond;
}
