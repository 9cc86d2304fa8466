"""`ub.compile` of models: what it chooses, that it is right, and how many graphs it makes."""

import copy
import pickle

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks import ops
from unified_blocks.backend import Graph
from unified_blocks.compiling.figures import Figure, fastest, timed
from unified_blocks.equivalence.policy import deviation
from unified_blocks.timing import Ratio

WIDTH = 6


class Normed(ub.Block):
    """Its outputs in training are others than in inference."""

    def __init__(self):
        super().__init__()
        self.dense = ub.Dense(8, in_units=WIDTH, activation="tanh")
        self.norm = ub.BatchNorm()
        self.dropout = ub.Dropout(0.5)

    def forward(self, X):
        return self.dropout(self.norm(self.dense(X)))


class Doubled(ub.Block):
    """Without parameters, for inputs of every shape and dtype."""

    def forward(self, X):
        return X + X


class Two(ub.Block):
    def forward(self, X, Y):
        return {"sum": X + Y, "parts": (X, Y * 2)}


class ByBatch(ub.Block):
    """What Python makes of the size of the batch becomes a part of the graph."""

    def forward(self, X):
        if getattr(X, "shape", (0,))[0] == 3:
            return X * 2
        return X * 4


def built(net, *shapes, dtype="float32"):
    """`net`, and inputs for it."""
    x = [np.random.default_rng(i).normal(size=s).astype(dtype) for i, s in enumerate(shapes)]
    ub.build(net, list(shapes) if len(shapes) > 1 else shapes[0])
    if ub.state(net):
        ub.initialize(net, seed=0, scheme="glorot_uniform")
    return net, [ub.from_numpy(a) for a in x]


def rows(backend, x, size):
    """That many of them, from the first on."""
    return backend.from_numpy(np.resize(backend.to_numpy(x), (size, WIDTH)))


def inferred(backend, net, *inputs, way=None):
    """What `way`, or the net itself, gives in inference."""
    with backend.inferring(net):
        return (way or net)(*inputs)


def agree(backend, found, expected, dtype="float32"):
    found, expected = backend.to_numpy(found), backend.to_numpy(expected)
    assert found.dtype == expected.dtype
    assert deviation(found, expected, dtype).ok


BLOCKS = {
    "MLP": lambda: ub.MLP(8, 3, in_units=WIDTH),
    "FixedHiddenMLP": lambda: ub.FixedHiddenMLP(WIDTH),
    "Normed": Normed,
}


@pytest.mark.parametrize("name", BLOCKS)
def test_the_choice_is_one_of_the_ways_and_right(backend, name):
    net, (x,) = built(BLOCKS[name](), (4, WIDTH))
    before = ub.state(net)
    fast = ub.compile(net, x)
    kinds = backend.graph_kinds
    assert [figure.name for figure in fast.figures] == ["eager", *kinds]
    assert fast.choice in ("eager", *kinds)
    for figure in fast.figures[1:]:
        assert figure.obstacle is None
        assert figure.ratio is not None
        assert figure.worst.ok
    for batch in (x, rows(backend, x, 7)):
        with backend.inferring(net):
            agree(backend, fast(batch), net(batch))
    after = ub.state(net)
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_each_kind_of_graph_is_the_model(backend):
    """Also one that the machine's speed would not choose."""
    net, (x,) = built(Normed(), (4, WIDTH))
    for kind in backend.graph_kinds:
        for dynamic in (False, True):
            graph = backend.graph(net, kind, dynamic)
            with backend.inferring(net):
                agree(backend, graph(x), net(x))


def test_a_graph_follows_the_numbers_of_the_model(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    graph = backend.graph(net, backend.graph_kinds[-1])
    before = backend.to_numpy(graph(x))
    ub.initialize(net, seed=1)
    assert np.abs(backend.to_numpy(graph(x)) - before).max() > 0.01
    agree(backend, graph(x), net(x))
    assert graph.traces == 1


# what is chosen


def with_ratio(name, low, median, high):
    return Figure(name, seconds=median, ratio=Ratio(median, low, high, 10))


def test_the_fastest_of_those_that_are_surely_faster_is_chosen():
    eager = Figure("eager", seconds=1.0)
    doubtful, fast, faster = (
        with_ratio("doubtful", 0.1, 0.2, 1.01),
        with_ratio("fast", 0.5, 0.6, 0.7),
        with_ratio("faster", 0.3, 0.4, 0.5),
    )
    assert fastest([eager, doubtful, fast, faster]) == "faster"
    assert fastest([eager, doubtful, with_ratio("slow", 1.5, 2.0, 2.5)]) == "eager"
    assert fastest([eager, Figure("broken", obstacle="it fails")]) == "eager"


def test_times_are_of_the_ways_without_an_obstacle(backend):
    made = []
    calls = {name: (lambda name=name: made.append(name)) for name in ("eager", "a", "broken")}
    given = [Figure("eager"), Figure("a"), Figure("broken", obstacle="it fails")]
    eager, a, broken = timed(given, calls, backend)
    assert set(made) == {"eager", "a"}
    assert made.count("eager") == made.count("a")
    assert eager.seconds > 0
    assert eager.ratio is None
    assert a.ratio.low <= a.ratio.median <= a.ratio.high
    assert broken == given[2]


class Answers(Graph):
    """A graph that computes something else."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, *inputs):
        return self.answer(*inputs)


def test_a_fast_graph_with_a_wrong_number_is_not_chosen(backend, monkeypatch):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    answer = inferred(backend, net, x) * 1.001
    graph = Answers(lambda x: answer)  # in no time, and off by one part in a thousand
    monkeypatch.setattr(backend, "graph", lambda net, kind, dynamic=False: graph)
    fast = ub.compile(net, x)
    assert fast.choice == "eager"
    assert {figure.obstacle for figure in fast.figures[1:]} == {"out of tolerance"}
    assert "out of tolerance" in repr(fast)
    agree(backend, inferred(backend, net, x, way=fast), inferred(backend, net, x))


def test_a_graph_that_cannot_be_made_is_not_chosen(backend, monkeypatch):
    def graph(net, kind, dynamic=False):
        raise ub.UnsupportedError("this one has no graph\nfor a reason")

    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    monkeypatch.setattr(backend, "graph", graph)
    fast = ub.compile(net, x)
    assert fast.choice == "eager"
    assert fast.traces == 0
    assert {f.obstacle for f in fast.figures[1:]} == {"UnsupportedError: this one has no graph"}
    assert fast.figures[1].seconds is None


def test_a_backend_without_graphs_is_eager(backend, monkeypatch):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    monkeypatch.setattr(backend, "graph_kinds", ())
    assert ub.compile(net, x).choice == "eager"
    with pytest.raises(ub.UnsupportedError, match=f"got a model of {backend.title}"):
        ub.compile(net, mode="native")


def test_the_framework_s_own_default(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    fast = ub.compile(net, mode="native")
    assert (fast.choice, fast.figures, fast.traces) == (backend.graph_kinds[0], (), 0)
    with backend.inferring(net):
        agree(backend, fast(x), net(x))
    assert fast.traces == 1
    assert repr(fast) == f"MLP on {backend.title}: {fast.choice}"


def test_the_repr_shows_the_figures(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    fast = ub.compile(net, x)
    head, *lines = repr(fast).splitlines()
    assert head == f"MLP on {backend.title}: {fast.choice}"
    assert len(lines) == 1 + len(backend.graph_kinds)
    for line, figure in zip(lines, fast.figures, strict=True):
        assert line.split("  ")[1] == figure.name
        assert "µs" in line
        assert ("ratio" in line) == (figure.name != "eager")


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
    if not backend.takes_numpy:
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


# errors


def test_what_cannot_be_compiled_is_an_error(backend):
    net = ub.MLP(8, 3)
    with pytest.raises(ub.NotBuiltError, match=r"ub\.build"):
        ub.compile(net, np.zeros((4, WIDTH), "float32"))
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    with pytest.raises(ValueError, match="measured, native; got mode='fast'"):
        ub.compile(net, x, mode="fast")
    with pytest.raises(ValueError, match="got none: give an input"):
        ub.compile(net)
    with pytest.raises(ub.ForeignTensorError):
        ub.compile(net, "an input")


def test_an_input_that_the_model_cannot_take_is_its_own_error(backend):
    net, (x,) = built(BLOCKS["MLP"](), (4, WIDTH))
    with pytest.raises(ub.InputError, match=r"shape \(n, 6\)"):
        ub.compile(net, np.zeros((4, WIDTH + 1), "float32"))
    fast = ub.compile(net, x)
    wrong = backend.from_numpy(np.zeros((4, WIDTH + 1), "float32"))
    with pytest.raises(Exception, match="7"):
        fast(wrong)


def test_a_plain_gluon_block_has_no_graph(backend_name, backend):
    if backend_name != "mxnet":
        pytest.skip("of Gluon")
    from mxnet.gluon import nn

    class Plain(nn.Block):
        def forward(self, x):
            return x * 2

    net, (x,) = built(ub.MySequential(ub.Dense(3, in_units=WIDTH), Plain()), (4, WIDTH))
    fast = ub.compile(net, x)
    assert fast.choice == "eager"
    assert "MySequential with a Plain" in fast.figures[1].obstacle


def test_whole_numbers_are_equal_or_wrong(backend, monkeypatch):
    net, (x,) = built(Doubled(), (4, WIDTH), dtype="int64")
    right = ub.compile(net, x)
    assert {figure.obstacle for figure in right.figures} == {None}
    graph = Answers(lambda x: x + x + 1)
    monkeypatch.setattr(backend, "graph", lambda net, kind, dynamic=False: graph)
    wrong = ub.compile(net, x)
    assert wrong.choice == "eager"
    assert wrong.figures[1].worst.absolute == 1
    assert wrong.figures[1].obstacle == "out of tolerance"


def test_another_number_of_outputs_is_out_of_tolerance(backend, monkeypatch):
    net, (x,) = built(Doubled(), (4, WIDTH))
    graph = Answers(lambda x: (x + x, x))
    monkeypatch.setattr(backend, "graph", lambda net, kind, dynamic=False: graph)
    assert ub.compile(net, x).figures[1].obstacle == "out of tolerance"


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
