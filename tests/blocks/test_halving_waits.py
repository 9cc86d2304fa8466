"""How often FixedHiddenMLP waits for its device: once for each test of its loop, compiled never."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.halving import NOT_FINITE, UNITS, starting_with

TURNS = {"none": (0.01, 0), "one": (1.5 / UNITS, 1), "twenty": (2.0**20 / UNITS, 20)}


def net_of(hidden, dtype, portable):
    """A block whose loop starts with the row `hidden`, and an input for it."""
    net, x = starting_with(hidden, dtype, "cpu")
    if portable:
        made = type(net).on(ub.backend_of(net).name, portable=True)
        net = ub.load_state(made(UNITS, activation=None, dtype=dtype), ub.state(net))
    return net, ub.from_numpy(x, ub.backend_of(net).name)


def looped(backend_name, net):
    """The same forward with the loop as one writes it by hand."""
    if backend_name == "torch":

        def forward(X):
            H = net.dense(((net.dense(X) @ net.rand_weight) + 1).relu())
            while H.abs().sum() > 1:
                H = H / 2
            return H.sum()

    elif backend_name == "tensorflow":
        import tensorflow as tf

        def forward(X):
            H = net.dense(tf.nn.relu(net.dense(X) @ net.rand_weight + 1))
            while tf.reduce_sum(tf.abs(H)) > 1:
                H = H / 2
            return tf.reduce_sum(H)

    else:
        from unified_blocks_mxnet.compat import mx, numpy_semantics

        def forward(X):
            with numpy_semantics():
                H = net.dense(mx.npx.relu(mx.np.dot(net.dense(X), net.rand_weight) + 1))
                while abs(H).sum() > 1:
                    H = H / 2
                return H.sum()

    return forward


class Reads:
    """Inside the `with`, how often numbers are read, which waits for the device."""

    def __init__(self, backend_name, monkeypatch):
        self.count, self.operations, self.backend_name = 0, 0, backend_name
        self.monkeypatch = monkeypatch

    def __enter__(self):
        if self.backend_name == "torch":
            from torch.utils._python_dispatch import TorchDispatchMode

            class Counting(TorchDispatchMode):
                def __torch_dispatch__(mode, function, types, args=(), kwargs=None):  # noqa: N805
                    self.operations += 1
                    self.count += "_local_scalar_dense" in str(function)
                    return function(*args, **kwargs or {})

            self.mode = Counting()
            self.mode.__enter__()
            return self
        for cls, names in self.readers():
            for name in names:
                self.watch(cls, name)
        return self

    def readers(self):
        if self.backend_name == "tensorflow":
            import tensorflow as tf

            names = ("numpy", "__array__", "__float__", "__bool__", "__int__", "__index__")
            return [(type(tf.constant(1.0)), names)]
        from unified_blocks_mxnet.compat import mx

        names = ("asnumpy", "wait_to_read", "to_dlpack_for_read", "to_dlpack_for_write")
        return [(mx.nd.NDArray, names), (mx.nd, ("waitall",))]

    def watch(self, owner, name):
        original = getattr(owner, name)

        def counted(*args, **kwargs):
            self.count += 1
            return original(*args, **kwargs)

        self.monkeypatch.setattr(owner, name, counted)

    def __exit__(self, *error):
        if self.backend_name == "torch":
            self.mode.__exit__(*error)
        self.monkeypatch.undo()


@pytest.mark.parametrize("portable", [False, True], ids=["native", "portable"])
@pytest.mark.parametrize("turns", TURNS)
def test_eagerly_it_waits_as_the_loop_by_hand(backend_name, monkeypatch, dtype, portable, turns):
    value, count = TURNS[turns]
    net, x = net_of(np.full(UNITS, value, dtype), dtype, portable)
    by_hand = looped(backend_name, net_of(np.full(UNITS, value, dtype), dtype, False)[0])
    expected = by_hand(x)
    net(x)  # TensorFlow's Keras builds a block in its first call
    with Reads(backend_name, monkeypatch) as reads:
        found = net(x)
    with Reads(backend_name, monkeypatch) as of_hand:
        by_hand(x)
    assert reads.count == of_hand.count == count + 1
    assert reads.operations <= of_hand.operations
    assert ub.to_numpy(found).tobytes() == ub.to_numpy(expected).tobytes()


@pytest.mark.parametrize("portable", [False, True], ids=["native", "portable"])
@pytest.mark.parametrize("name", NOT_FINITE)
def test_what_is_not_finite_is_told_at_the_first(backend_name, monkeypatch, dtype, portable, name):
    net, x = net_of(NOT_FINITE[name](dtype), dtype, portable)
    with (
        Reads(backend_name, monkeypatch) as reads,
        pytest.raises(ValueError, match=r"halved down to 1 must be finite; got (inf|nan)"),
    ):
        net(x)
    assert reads.count == 1


def test_compiled_it_never_waits(backend_name, monkeypatch, dtype):
    net, x = net_of(normal(UNITS, dtype=dtype) * 1000, dtype, False)
    expected = net(x)
    if backend_name == "torch":
        import torch

        graphs = []

        def backend(graph, inputs):
            graphs.append((graph, inputs))
            return graph.forward

        torch.compiler.reset()
        compiled = torch.compile(net, backend=backend, fullgraph=True)
        compiled(x)
        ((graph, inputs),) = graphs
        assert not {"item", "tolist"} & {node.target for node in graph.graph.nodes}
        with Reads(backend_name, monkeypatch) as reads:  # of what was traced
            (found,) = graph(*inputs)
        assert reads.operations > 5
    else:
        if backend_name == "tensorflow":
            import tensorflow as tf

            compiled = tf.function(net).get_concrete_function(x)
        else:
            net.hybridize()
            compiled = net
        compiled(x)
        with Reads(backend_name, monkeypatch) as reads:
            found = compiled(x)
    assert reads.count == 0
    assert ub.to_numpy(found).tobytes() == ub.to_numpy(expected).tobytes()


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.filterwarnings("ignore:TensorFloat32 tensor cores")
def test_compiled_the_gpu_is_never_waited_for(backend_name, device, dtype):
    """Told by the driver's side, not by what Python calls."""
    if backend_name != "torch" or not device.startswith("gpu"):
        pytest.skip("PyTorch tells it, of a GPU")
    import torch

    net, x = net_of(normal(UNITS, dtype=dtype) * 1000, dtype, False)
    ub.to_device(net, device)
    x = ub.backend_of(net).from_numpy(ub.to_numpy(x), device)
    torch.compiler.reset()
    compiled = torch.compile(net, fullgraph=True)
    with torch.no_grad():
        expected = net(x)
        compiled(x)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            found = compiled(x)
            with pytest.raises(RuntimeError, match="synchroniz"):
                net(x)  # the loop asks, which is an error here
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert ub.to_numpy(found).tobytes() == ub.to_numpy(expected).tobytes()


def test_the_first_call_of_a_graph_does_not_wait_either(backend_name, monkeypatch):
    if backend_name != "mxnet":
        pytest.skip("of the others the graph was looked at")
    net, x = net_of(normal(UNITS) * 1000, "float32", False)
    net.hybridize()
    with Reads(backend_name, monkeypatch) as reads:
        net(x)
    assert reads.count == 0


def test_its_graph_has_no_loop_and_no_python(backend_name, dtype):
    if backend_name != "tensorflow":
        pytest.skip("it is about TensorFlow's graph")
    import tensorflow as tf

    net, x = net_of(normal(UNITS, dtype=dtype), dtype, False)
    graph = tf.function(net).get_concrete_function(x).graph.as_graph_def()
    functions = [function.node_def for function in graph.library.function]
    found = {node.op for nodes in (graph.node, *functions) for node in nodes}
    assert {"Abs", "Sum"} <= found
    assert not {op for op in found if "While" in op or "If" in op or "PyFunc" in op}


@pytest.mark.parametrize("train", [False, True])
def test_it_runs_where_there_are_no_numbers_to_read(backend_name, dtype, train):
    if backend_name != "torch":
        pytest.skip("only PyTorch has a device without memory")
    import torch

    from unified_blocks_torch.halving import halved

    H = torch.ones(3, 4, device="meta", dtype=getattr(torch, dtype), requires_grad=train)
    Y = halved(H, H.dtype)
    assert (Y.device.type, Y.shape, Y.dtype) == ("meta", H.shape, H.dtype)
    if train:
        Y.sum().backward()
        assert H.grad.shape == H.shape
    with pytest.raises(RuntimeError, match="meta"):
        Y.sum().item()


def test_reading_is_counted(backend_name, monkeypatch):
    """The counter counts: otherwise 0 says nothing."""
    tensor = ub.from_numpy(np.ones(()), backend_name)
    with Reads(backend_name, monkeypatch) as reads:
        assert float(tensor) == 1
        assert bool(tensor)
    assert reads.count == 2
