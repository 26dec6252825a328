namespace Lingotto.Compute;

/// <summary>The tensors of one case on one device.</summary>
internal sealed class OpOperands : IDisposable
{
    private readonly OpCase _case;
    private readonly double[][] _initial;
    private readonly List<IDisposable> _memory = [];
    private readonly Dictionary<string, Tensor> _tensors = [];
    private readonly Dictionary<string, PreparedWeight> _prepared = [];

    /// <param name="opCase">The case.</param>
    /// <param name="device">Where it runs.</param>
    /// <param name="reals">F32, which leaves BF16 tensors what they are, or F64 on the reference.</param>
    /// <param name="seed">Of the values.</param>
    /// <param name="absolute">Use absolute values, so that a matmul gives its natural scale.</param>
    /// <param name="separate">Give each tensor a block of exactly its size.</param>
    public OpOperands(OpCase opCase, Device device, DType reals, ulong seed, bool absolute = false, bool separate = false)
    {
        (_case, Device) = (opCase, device);
        _initial = [.. opCase.Tensors.Select(t => t.Initial(seed, opCase.Place)).Select((values, i) =>
            absolute && opCase.Tensors[i].DType != DType.I32 ? [.. values.Select(Math.Abs)] : values)];
        using Arena plan = Arena.Measure();
        Allocate(plan, reals);
        if (separate)
        {
            foreach (OpTensor t in opCase.Tensors)
            {
                MemoryBlock block = Own(device.AllocateBlock(_tensors[t.Name].Length * _tensors[t.Name].DType.Size()));
                _tensors[t.Name] = new Tensor(block, 0, _tensors[t.Name].DType, t.Shape);
            }
        }
        else
        {
            Allocate(Own(new Arena(device, plan.Used)), reals);
        }

        using Arena preparedPlan = Arena.Measure();
        Prepare(preparedPlan);
        if (_prepared.Count > 0)
        {
            Prepare(Own(new Arena(device, preparedPlan.Used)));
        }

        Reset();
    }

    public Device Device { get; }

    public Tensor this[string name] => _tensors[name];

    /// <summary>The tensor of that name, or an absent one if the case has none.</summary>
    public Tensor Optional(string name) => _tensors.GetValueOrDefault(name);

    public bool Has(string name) => _tensors.ContainsKey(name);

    public PreparedWeight Prepared(string name) => _prepared[name];

    public void Dispose() => _memory.ForEach(memory => memory.Dispose());

    /// <summary>Puts every tensor back to its values before the operation.</summary>
    public void Reset()
    {
        for (int i = 0; i < _initial.Length; i++)
        {
            Write(_case.Tensors[i].Name, _initial[i]);
        }
    }

    public double[] Read(string name)
    {
        Tensor tensor = _tensors[name];
        switch (tensor.DType)
        {
            case DType.I32:
                var integers = new int[tensor.Length];
                Device.Download<int>(tensor, integers);
                return [.. integers];
            case DType.BF16:
                var halves = new ushort[tensor.Length];
                Device.Download<ushort>(tensor, halves);
                return [.. halves.Select(x => (double)BFloat16.ToSingle(x))];
            case DType.F32:
                var singles = new float[tensor.Length];
                Device.Download<float>(tensor, singles);
                return [.. singles];
            default:
                var doubles = new double[tensor.Length];
                Device.Download<double>(tensor, doubles);
                return doubles;
        }
    }

    public void Write(string name, double[] values)
    {
        Tensor tensor = _tensors[name];
        switch (tensor.DType)
        {
            case DType.I32:
                Device.Upload<int>([.. values.Select(x => (int)x)], tensor);
                break;
            case DType.BF16:
                Device.Upload<ushort>([.. values.Select(x => BFloat16.FromSingle((float)x))], tensor);
                break;
            case DType.F32:
                Device.Upload<float>([.. values.Select(x => (float)x)], tensor);
                break;
            default:
                Device.Upload<double>(values, tensor);
                break;
        }

        if (_prepared.TryGetValue(name, out PreparedWeight? prepared))
        {
            Device.Refresh(prepared);
        }
    }

    private void Allocate(Arena arena, DType reals)
    {
        foreach (OpTensor t in _case.Tensors)
        {
            _tensors[t.Name] = arena.Allocate(
                t.DType == DType.I32 || (t.DType == DType.BF16 && reals == DType.F32) ? t.DType : reals, t.Shape);
        }
    }

    private void Prepare(Arena arena)
    {
        foreach (OpTensor t in _case.Tensors.Where(t => t.Role == OpRole.Weight))
        {
            _prepared[t.Name] = Device.Prepare(_tensors[t.Name], arena, trained: _case.Backward is not null, t.Precision);
        }
    }

    private T Own<T>(T memory)
        where T : IDisposable
    {
        _memory.Add(memory);
        return memory;
    }
}
