"""Recurrent layers and cells: states, lengths, training, files, errors; what they cost."""

import copy
import pickle

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks.layer_cases import made
from testbed.common import graph, normal, run
from testbed.recurrent import evaluated, flat, given, plain

KINDS = ("RNN", "LSTM", "GRU")
LENGTHS = np.array([5, 2, 1])
OPTIONS = {
    "one layer": {},
    "both ways": {"bidirectional": True},
    "deep both ways": {"num_layers": 2, "bidirectional": True},
    "no biases": {"num_layers": 2, "use_bias": False},
}
every_kind = pytest.mark.parametrize("kind", KINDS)
every_option = pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)


def layer(kind, dtype="float64", **options):
    """A layer of three units, which gives its state, with numbers that differ."""
    with ub.use_dtype(dtype):
        net = ub.build(getattr(ub, kind)(3, return_state=True, **options), (1, 2, 4))
    return numbered(net)


def numbered(net, seed=2):
    generator = np.random.default_rng(seed)
    drawn = {k: generator.normal(size=a.shape).astype(a.dtype) for k, a in ub.state(net).items()}
    return ub.load_state(net, drawn)


def states(net, kind, n=3, seed=5):
    """Initial states of all its layers and directions."""
    rows = sum("weight_ih" in name for name in ub.state(net))
    one = normal(rows, n, 3, dtype="float64", seed=seed)
    return (one, 2 * one[::-1]) if kind == "LSTM" else one


def agree(found, wanted, tolerance=1e-12):
    assert [a.shape for a in found] == [a.shape for a in wanted]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@every_kind
@every_option
def test_states_and_lengths(backend_name, kind, options):
    net, x = layer(kind, **options), normal(3, 5, 4, dtype="float64")
    begun = states(net, kind)
    for inputs in ((x,), (x, begun), (x, None, LENGTHS), (x, begun, LENGTHS)):
        agree(evaluated(net, *inputs), plain(net.reference(ub.state(net), *inputs)))


@every_kind
def test_after_its_end_a_sequence_does_not_matter(backend_name, kind):
    net, x = layer(kind, num_layers=2, bidirectional=True), normal(3, 5, 4, dtype="float64")
    other = x.copy()
    for row, length in enumerate(LENGTHS):
        other[row, length:] = np.nan
    found = evaluated(net, other, None, LENGTHS)
    agree(found, evaluated(net, x, None, LENGTHS), 0)
    for row, length in enumerate(LENGTHS):
        assert (found[0][row, length:] == 0).all()
        alone = evaluated(net, x[row : row + 1, :length])
        agree(
            [a[row : row + 1] if i == 0 else a[:, row : row + 1] for i, a in enumerate(found)],
            [np.pad(alone[0], ((0, 0), (0, 5 - length), (0, 0))), *alone[1:]],
        )


@every_kind
def test_lengths_are_given_by_name_too(backend_name, kind):
    net, x = layer(kind), normal(3, 5, 4, dtype="float64")
    backend = ub.backend_of(net)
    found = flat(backend, net(given(backend, x), lengths=given(backend, LENGTHS)))
    agree(found, evaluated(net, x, None, LENGTHS))


@pytest.mark.parametrize("wrong", [[0, 1, 2], [1, 2, 6]])
def test_lengths_are_those_of_sequences(backend_name, wrong):
    net = layer("GRU")
    with pytest.raises(ValueError, match=r"GRU: lengths must be from 1 to 5.*got lengths from"):
        evaluated(net, normal(3, 5, 4, dtype="float64"), None, np.array(wrong))


@pytest.mark.capability("lengths-in-graphs")
@every_kind
@every_option
def test_lengths_and_states_in_a_graph(backend_name, kind, options):
    net, x = layer(kind, **options), normal(3, 5, 4, dtype="float64")
    for inputs in ((x, None, LENGTHS), (x, states(net, kind), LENGTHS), (x, states(net, kind))):
        eager = evaluated(net, *inputs)
        twin = copy.deepcopy(net)
        agree(
            evaluated(graph(backend_name, twin), *inputs)
            if backend_name == "mxnet"
            else in_function(twin, inputs),
            eager,
        )


def in_function(net, inputs):
    import tensorflow as tf

    backend = ub.backend_of(net)
    return flat(backend, tf.function(net)(*given(backend, inputs)))


@every_kind
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "lengths"])
def test_gradients(backend_name, kind, lengths):
    """Those of all parameters, by differences; with lengths, and of the states too."""
    net, x = layer(kind, num_layers=2, bidirectional=True), normal(3, 5, 4, dtype="float64")
    numbers = ub.state(net)

    class Sum(ub.Block):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, X):
            chosen = None if lengths is None else ub.from_numpy(LENGTHS, backend_name)
            Y, last = self.inner(X, None, chosen)
            last = ub.ops.concat(list(last), axis=0) if kind == "LSTM" else last
            return ub.ops.sum(Y * Y) + ub.ops.sum(last * last * last)

    def value(state, x):
        Y, last = net.reference(state, x, None, lengths)
        last = np.concatenate(last) if kind == "LSTM" else last
        return (Y * Y).sum() + (last**3).sum()

    with ub.use_dtype("float64"):
        _, found = ub.value_and_grad(Sum(net), x, loss="sum", wrt="both")
    rng = np.random.default_rng(0)
    along = {name: rng.normal(size=a.shape) for name, a in (numbers | {"x": x}).items()}
    step = 1e-200j  # the complex step: of an analytic function it is exact
    moved = {name: array + step * along[name] for name, array in numbers.items()}
    expected = value(moved, x + step * along["x"]).imag / 1e-200
    total = sum(
        (found.get(name, found.get(f"inner.{name}")) * d).sum() for name, d in along.items()
    )
    assert total == pytest.approx(expected, rel=1e-9)


CELLS = ("RNNCell", "LSTMCell", "GRUCell")


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_cell_is_a_step_of_its_layer(backend_name, kind, use_bias):
    whole = layer(kind.removesuffix("Cell"), use_bias=use_bias)
    with ub.use_dtype("float64"):
        cell = getattr(ub, kind)(3, use_bias=use_bias)
    numbers = {name.removesuffix("_l0"): array for name, array in ub.state(whole).items()}
    ub.load_state(cell, numbers)  # which makes its parameters
    x, backend = normal(3, 5, 4, dtype="float64"), ub.backend_of(cell)
    now, outputs = None, []
    for k in range(5):
        inputs = [given(backend, x[:, k])] + ([] if now is None else [now])
        now = cell(*inputs)
        outputs.append(flat(backend, now)[0])
    wanted = evaluated(whole, x)
    agree([np.stack(outputs, 1), *(a[None] for a in flat(backend, now))], wanted)
    assert list(ub.state(cell)) == list(numbers)


@pytest.mark.parametrize("kind", CELLS)
def test_a_cell_in_a_graph(backend_name, kind):
    with ub.use_dtype("float64"):
        net = numbered(ub.build(getattr(ub, kind)(3), (2, 4)))
    x = normal(2, 4, dtype="float64")
    eager = evaluated(net, x)
    backend = ub.backend_of(net)
    if backend_name == "torch":
        net.eval()
    agree(flat(backend, graph(backend_name, net)(backend.from_numpy(x))), eager)


@every_kind
def test_names_and_shapes_are_pytorch_s(backend_name, kind):
    gates = {"RNN": 1, "LSTM": 4, "GRU": 3}[kind]
    net = layer(kind, num_layers=2, bidirectional=True)
    shapes = {name: array.shape for name, array in ub.state(net).items()}
    expected = {}
    for number, width in ((0, 4), (1, 6)):
        for way in ("", "_reverse"):
            end = f"_l{number}{way}"
            expected |= {f"weight_ih{end}": (3 * gates, width), f"weight_hh{end}": (3 * gates, 3)}
            expected |= {f"bias_ih{end}": (3 * gates,), f"bias_hh{end}": (3 * gates,)}
    assert list(shapes.items()) == list(expected.items())


@every_kind
@pytest.mark.parametrize("in_units", [None, 4])
def test_a_state_builds_what_is_not_built(backend_name, kind, in_units):
    net = layer(kind, num_layers=2, bidirectional=True)
    with ub.use_dtype("float64"):
        options = {"num_layers": 2, "bidirectional": True, "return_state": True}
        other = ub.load_state(getattr(ub, kind)(3, in_units=in_units, **options), ub.state(net))
    x = normal(2, 6, 4, dtype="float64")
    agree(evaluated(other, x), evaluated(net, x), 0)


def test_dropout_is_between_layers_in_training_alone(backend_name):
    def changes(**options):
        net = numbered(ub.build(ub.GRU(50, dropout=0.5, **options), (1, 2, 4)))
        backend, x = ub.backend_of(net), normal(20, 3, 4)
        one, two, three = (
            backend.to_numpy(backend.run(net, [backend.from_numpy(x)], train=train))
            for train in (False, True, True)
        )
        np.testing.assert_allclose(one, net.reference(ub.state(net), x), rtol=1e-4, atol=1e-5)
        return np.abs(one - two).max() > 1e-3, np.abs(two - three).max() > 1e-3

    assert changes() == (False, False)
    assert changes(num_layers=2) == (True, True)


def test_dropout_is_not_where_only_gradients_are_recorded(backend_name):
    net = numbered(ub.build(ub.LSTM(4, 2, dropout=0.5), (1, 2, 4)))
    x = normal(3, 5, 4)
    value, _ = ub.value_and_grad(net, x, loss="sum")
    assert value == pytest.approx(net.reference(ub.state(net), x).sum(), rel=1e-4)


@every_kind
def test_copies_and_pickles(backend_name, kind):
    net, x = layer(kind, num_layers=2), normal(2, 6, 4, dtype="float64")
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        agree(evaluated(twin, x), evaluated(net, x), 0)
        numbered(twin, 9)
        assert np.abs(evaluated(twin, x)[0] - evaluated(net, x)[0]).max() > 1e-3


@every_kind
def test_files(backend_name, kind, tmp_path):
    net, x = ub.MySequential(layer(kind).__class__(3, 2, bidirectional=True)), normal(2, 6, 4)
    numbered(ub.build(net, (2, 6, 4)))
    ub.save(net, tmp_path / "net.safetensors")
    for name in ub.available_backends():
        other = ub.load(tmp_path / "net.safetensors", backend=name)
        agree(evaluated(other, x), evaluated(net, x), 1e-5)
    ub.write_state(net, tmp_path / "net.pt")
    assert ub.diff_state(ub.read_state(tmp_path / "net.pt"), net).equal


@every_kind
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("both_ways", [False, True])
def test_all_frameworks_take_the_same_steps(backend_name, kind, layers, both_ways):
    x, y = normal(4, 6, 3, dtype="float64"), normal(4, 6, 1, dtype="float64", seed=1)
    losses, states = [], []
    for name in ub.available_backends():
        with ub.use_backend(name), ub.use_dtype("float64"):
            options = {"num_layers": layers, "bidirectional": both_ways}
            net = ub.MySequential(getattr(ub, kind)(4, **options), ub.Dense(1))
        ub.initialize(ub.build(net, x.shape), 0)
        history = ub.fit(net, x, y, loss="mse", optimizer=ub.SGD(0.125, 0.875), epochs=20)
        losses.append(history.loss)
        states.append(ub.state(net))
    assert losses[0][-1] < 0.95 * losses[0][0]
    np.testing.assert_allclose(losses, [losses[0]] * len(losses), rtol=1e-9)
    for state in states:
        for parameter, array in state.items():
            np.testing.assert_allclose(array, states[0][parameter], rtol=1e-8, atol=1e-10)


SCHEMES = ("glorot_uniform", "he_uniform", "torch_default", "keras_default", "gluon_default")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_initial_values(backend_name, scheme):
    net = ub.build(ub.LSTM(50, bidirectional=True), (1, 2, 30))
    drawn = ub.state(ub.initialize(net, 3, scheme))
    again = ub.state(ub.initialize(net, 3, scheme))
    assert all(np.array_equal(a, again[name]) for name, a in drawn.items())
    W, U = drawn["weight_ih_l0_reverse"], drawn["weight_hh_l0_reverse"]
    bounds = {
        "glorot_uniform": (np.sqrt(6 / 230), np.sqrt(6 / 250)),
        "he_uniform": (np.sqrt(6 / 30), np.sqrt(6 / 50)),
        "torch_default": (50**-0.5,) * 2,
        "keras_default": (np.sqrt(6 / 230), None),
        "gluon_default": (0.07, 0.07),
    }[scheme]
    for array, bound in ((W, bounds[0]), (U, bounds[1])):
        if bound is None:
            np.testing.assert_allclose(array.T @ array, np.eye(50), atol=1e-5)
        else:
            assert 0.99 * bound < np.abs(array).max() <= bound * (1 + 1e-6)
    b, c = drawn["bias_ih_l0_reverse"], drawn["bias_hh_l0_reverse"]
    if scheme == "torch_default":
        assert 0.9 * 50**-0.5 < np.abs(b).max() <= 50**-0.5 * (1 + 1e-6)
        return
    forget = 1 if scheme == "keras_default" else 0
    np.testing.assert_array_equal(b, np.repeat([0, forget, 0, 0], 50))
    assert not c.any()


def test_bidirectional_training_goes_on_elsewhere(backend_name):
    """The state of a trainer, too: steps on one framework, and on from there on another."""
    x, y = normal(4, 6, 3, dtype="float64"), normal(4, 6, 8, dtype="float64", seed=1)

    def net(name):
        with ub.use_backend(name), ub.use_dtype("float64"):
            return ub.build(ub.GRU(4, bidirectional=True), (4, 6, 3))

    first = numbered(net(backend_name))
    trainer = ub.Trainer(first, ub.Adam(0.01), "mse")
    trainer.step(x, y)
    for name in ub.available_backends():
        other = ub.load_state(net(name), ub.state(first))
        following = ub.load_state(ub.Trainer(other, ub.Adam(0.01), "mse"), ub.state(trainer))
        following.step(x, y)
        twin = ub.load_state(net(backend_name), ub.state(first))
        same = ub.load_state(ub.Trainer(twin, ub.Adam(0.01), "mse"), ub.state(trainer))
        same.step(x, y)
        for key, array in ub.state(twin).items():
            np.testing.assert_allclose(ub.state(other)[key], array, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ub.LSTM(0), "LSTM: units must be at least 1; got units=0"),
        (lambda: ub.LSTM(3, num_layers=0), "num_layers must be at least 1"),
        (lambda: ub.GRU(3, dropout=1), r"GRU: dropout must be in \[0, 1\); got dropout=1"),
        (lambda: ub.RNN(3, activation="sigmoid"), "RNN: activation must be tanh or relu.*sigmoid"),
        (lambda: ub.RNNCell(3, activation=None), "RNNCell: activation must be tanh or relu.*None"),
    ],
)
def test_wrong_arguments(backend_name, make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (
            lambda: ub.LSTM(3),
            (5, 4),
            r"LSTM: the input must have shape \(n, t, d\); got .*\(5, 4\)",
        ),
        (lambda: ub.GRUCell(3), (2, 5, 4), r"GRUCell: the input must have shape \(n, d\); got"),
        (lambda: ub.GRU(3, in_units=4), (2, 5, 3), "GRU: the input must have shape .*4.*got shape"),
    ],
)
def test_wrong_inputs(backend_name, make, shape, message):
    with pytest.raises(ub.InputError, match=message):
        run(make(), normal(*shape))


def test_a_subclass_calls_what_it_extends(backend_name):
    class Last(ub.LSTM.on(backend_name)):
        """The output at the end."""

        def __init__(self, units):
            super().__init__(units)

        def last(self, X):
            return self(X)[:, -1]

    net = Last(3)
    x = ub.from_numpy(normal(2, 5, 4))
    np.testing.assert_array_equal(ub.to_numpy(net.last(x)), ub.to_numpy(net(x))[:, -1])


def test_one_sequence_and_one_step(backend_name):
    for shape in ((1, 1, 4), (1, 40, 4), (2, 33, 4)):
        net, x = layer("LSTM", num_layers=2), normal(*shape, dtype="float64")
        agree(evaluated(net, x), plain(net.reference(ub.state(net), x)))


def test_an_empty_batch(backend_name):
    net, x = layer("GRU"), normal(0, 5, 4, dtype="float64")
    if backend_name == "mxnet":
        with pytest.raises(ub.UnsupportedError, match=r"at least one sequence .* \(0, 5, 4\)"):
            evaluated(net, x)
        return
    assert [a.shape for a in evaluated(net, x)] == [(0, 5, 3), (1, 0, 3)]


def test_a_layer_of_float32(backend_name):
    net, x = made(lambda: ub.GRU(3), (2, 5, 4), "float32"), normal(2, 5, 4)
    y = run(net, x)
    assert y.dtype == np.float32
    np.testing.assert_allclose(y, net.reference(ub.state(net), x), rtol=1e-5, atol=1e-6)
