"""The graphs of `ub.compile`: signatures, gradients, memory, models made by others."""

import copy
import pickle

import numpy as np
import pytest

import unified_blocks as ub
from testbed.compiled import BLOCKS, WIDTH, ByBatch, Doubled, Two, agree, built, inferred, rows
from unified_blocks import ops
from unified_blocks.backend import Graph
from unified_blocks.reference.policy import deviation

# signatures


def kinds_once(backend):
    """A graph of each kind, with open batch sizes."""
    net, _ = built(Doubled(), (2, WIDTH))
    return [backend.graph(net, kind, dynamic=True) for kind in backend.graph_kinds]


def test_one_graph_for_all_batch_sizes(backend):
    for graph in kinds_once(backend):
        for size in (4, 2, 9, 4, 3):
            x = np.full((size, WIDTH), size, "float32")
            found = backend.to_numpy(graph(backend.from_numpy(x)))
            np.testing.assert_array_equal(found, 2 * x)
        assert graph.traces == 1


def test_one_graph_for_each_other_signature(backend):
    """MXNet's graphs are for every shape and dtype."""
    for graph in kinds_once(backend):
        for i, (shape, dtype) in enumerate(
            [((4, 6), "float32"), ((4, 6), "float64"), ((4, 3, 5), "float32"), ((), "float32")]
        ):
            for _ in range(3):
                x = np.ones(shape, dtype)
                found = backend.to_numpy(graph(backend.from_numpy(x)))
                assert found.dtype == dtype
                np.testing.assert_array_equal(found, 2 * x)
            assert graph.traces == (1 if backend.name == "mxnet" else i + 1)


def test_a_graph_for_one_batch_size_where_python_looks_at_it(backend):
    if backend.name == "mxnet":
        pytest.skip("MXNet's symbols have no shape: its eager call is another")
    net, (x,) = built(ByBatch(), (3, WIDTH))
    fast = ub.compile(net, x)
    with backend.inferring(net):
        for size in (3, 4, 5, 3):
            batch = rows(backend, x, size)
            agree(backend, fast(batch), net(batch))


@pytest.mark.parametrize("size", [1, 9])
def test_batch_sizes_that_python_looks_at_are_compared(backend, size):
    """Of one sample, and of more than twice as many: with a graph for all it would be wrong."""
    if backend.name == "mxnet":
        pytest.skip("MXNet's symbols have no shape")

    class Other(ub.Block):
        def forward(self, X):
            rows = X.shape[0] or 4
            return X * 2 if rows == 1 or rows > 8 else X

    net, (x,) = built(Other(), (4, WIDTH))
    fast = ub.compile(net, x)
    batch = rows(backend, x, size)
    agree(backend, inferred(backend, net, batch, way=fast), inferred(backend, net, batch))


def test_several_inputs_and_outputs(backend):
    net, inputs = built(Two(), (3, WIDTH), (3, WIDTH))
    fast = ub.compile(net, tuple(inputs))
    expected = inferred(backend, net, *inputs)
    for way in (fast, *(backend.graph(net, kind) for kind in backend.graph_kinds)):
        if backend.name == "mxnet" and isinstance(way, Graph):
            continue  # Gluon's graphs have no dicts, which is an obstacle
        found = inferred(backend, net, *inputs, way=way)
        agree(backend, found["sum"], expected["sum"])
        agree(backend, found["parts"][1], expected["parts"][1])


def test_arrays_as_the_eager_call_takes_them(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    graph = backend.graph(net, backend.graph_kinds[0])
    array = backend.to_numpy(x)
    if "array-inputs" in backend.lacks:
        with pytest.raises(ub.ForeignTensorError, match="NumPy array"):
            graph(array)
        return
    agree(backend, graph(array), net(x))
    graph(array)
    assert graph.traces == 1
    fast = ub.compile(net, array)
    agree(backend, fast(array), net(x))


# gradients and memory


def test_gradients_go_through_each_kind_of_graph(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    _, expected = ub.value_and_grad(net, x, loss="sum")
    for kind in backend.graph_kinds:
        found = GRADIENTS[backend.name](net, backend.graph(net, kind), x)
        for name in ("hidden.weight", "out.bias"):
            assert deviation(found[name], expected[name], "float32").ok


def torch_gradients(net, graph, x):
    import torch

    names, tensors = zip(*net.named_parameters(), strict=True)
    gradients = torch.autograd.grad(graph(x).sum(), tensors)
    return {name: g.numpy() for name, g in zip(names, gradients, strict=True)}


def tensorflow_gradients(net, graph, x):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(graph(x))
    weight, bias = tape.gradient(total, [net.hidden.kernel.value, net.out.bias.value])
    return {"hidden.weight": weight.numpy().T, "out.bias": bias.numpy()}


def mxnet_gradients(net, graph, x):
    import mxnet as mx

    with mx.autograd.record():
        total = graph(x).sum()
    total.backward()
    return {
        "hidden.weight": net.hidden.weight.grad().asnumpy(),
        "out.bias": net.out.bias.grad().asnumpy(),
    }


GRADIENTS = {"torch": torch_gradients, "tensorflow": tensorflow_gradients, "mxnet": mxnet_gradients}


def test_outputs_outlive_the_next_call(backend):
    """A graph with static memory uses that again."""
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    for kind in backend.graph_kinds:
        graph = backend.graph(net, kind)
        first = inferred(backend, net, x, way=graph)
        kept = backend.to_numpy(first).copy()
        for factor in (2, 3, 4):
            inferred(backend, net, x * factor, way=graph)
        backend.finish()
        np.testing.assert_array_equal(backend.to_numpy(first), kept)


def test_two_recorded_calls_have_the_gradient_of_their_sum(backend_name, backend):
    if backend_name != "mxnet":
        pytest.skip("only Gluon's graphs have static memory")
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    expected = gradient_of_two(net, net, x)
    for kind in backend.graph_kinds:
        graph = backend.graph(net, kind)
        assert deviation(gradient_of_two(net, graph, x), expected, "float32").ok


def gradient_of_two(net, way, x):
    import mxnet as mx

    with mx.util.np_shape(True), mx.util.np_array(True):
        way(x)
        with mx.autograd.record():
            total = way(x).sum() + (way(x * 2) * 3).sum()
        total.backward()
    return net.hidden.weight.grad().asnumpy()


class Branching(ub.Block):
    """Its last block has a branch, whose gradient MXNet gets wrong in a graph."""

    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(3, in_units=WIDTH)

    def forward(self, X):
        H = self.dense(X)
        return ops.cond(ops.sum(H) > 1e6, lambda: H * 3, lambda: H * 2)


def test_gradients_that_mxnet_gets_wrong_are_an_error(backend_name, backend):
    if backend_name != "mxnet":
        pytest.skip("of MXNet")
    import mxnet as mx

    net, (x,) = built(Branching(), (4, WIDTH))
    for kind in backend.graph_kinds:
        graph = backend.graph(net, kind)
        agree(backend, inferred(backend, net, x, way=graph), inferred(backend, net, x))
        with mx.autograd.record(), pytest.raises(ub.UnsupportedError, match="Branching: a hybrid"):
            graph(x)
    step = ub.compile(ub.Trainer(net, ub.SGD(0.1), "mean"), mode="native")
    with pytest.raises(ub.UnsupportedError, match="Branching"):
        step(x)


def test_legacy_arrays_are_refused(backend_name, backend):
    if backend_name != "mxnet":
        pytest.skip("of MXNet")
    import mxnet as mx

    net, _ = built(Doubled(), (4, WIDTH))
    for way in (net, backend.graph(net, backend.graph_kinds[0])):
        with pytest.raises(ub.ForeignTensorError, match=r"Doubled on MXNet must be given mx\.np"):
            way(mx.nd.ones((4, WIDTH)))
        with mx.util.np_shape(True), mx.util.np_array(True), pytest.raises(ub.ForeignTensorError):
            way(mx.nd.ones((4, WIDTH)))


def test_a_copy_or_pickle_is_refused(backend):
    net, _ = built(BLOCKS["MLP"](), (4, WIDTH))
    fast = ub.compile(net, mode="native")
    for copied in (copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="or save its net"):
            copied(fast)


def test_the_model_stays_eager(backend_name, backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    ub.compile(net, x)
    seen = []
    with backend.watch(net, lambda *_: None, lambda block, *_: seen.append(block)):
        backend.run(net, [x])
    assert net.out in seen  # which a graph would not tell of
    if backend_name == "torch":
        assert net.training
    if backend_name == "mxnet":
        assert not net._active


def native_torch():
    from torch import nn

    return nn.Sequential(nn.Linear(WIDTH, 8), nn.Tanh(), nn.Linear(8, 3))


def native_tensorflow():
    import keras

    return keras.Sequential([keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])


def functional_tensorflow():
    import keras

    first, second = keras.Input((WIDTH,)), keras.Input((WIDTH,))
    return keras.Model([first, second], keras.layers.Dense(3)(first + second))


def native_mxnet():
    import mxnet as mx
    from mxnet.gluon import nn

    with mx.util.np_shape(True), mx.util.np_array(True):
        net = nn.HybridSequential()
        net.add(nn.Dense(8, activation="tanh", in_units=WIDTH), nn.Dense(3, in_units=8))
        net.initialize()
    return net


NATIVE = {"torch": native_torch, "tensorflow": native_tensorflow, "mxnet": native_mxnet}


def test_models_that_this_library_did_not_make(backend):
    net = NATIVE[backend.name]()
    x = backend.from_numpy(np.random.default_rng(0).normal(size=(4, WIDTH)).astype("float32"))
    expected = inferred(backend, net, x)
    fast = ub.compile(net, x)
    assert {figure.obstacle for figure in fast.figures} == {None}
    for kind in backend.graph_kinds:
        graph = backend.graph(net, kind)
        agree(backend, inferred(backend, net, x, way=graph), expected)


def test_a_functional_model_of_two_inputs(backend_name, backend):
    if backend_name != "tensorflow":
        pytest.skip("of Keras")
    net = functional_tensorflow()
    x = [np.full((4, WIDTH), value, "float32") for value in (1, 2)]
    fast = ub.compile(net, (x[0], x[1]))
    assert [f.obstacle for f in fast.figures[1:]] == [None, None]
    for way in (fast, backend.caller(net)):
        agree(backend, way(*map(backend.from_numpy, x)), net(x))
