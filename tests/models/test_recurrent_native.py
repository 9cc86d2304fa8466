"""Recurrent layers that were made by hand: in states, transfers and comparisons with ours."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.recurrent import KINDS, WIDTH, evaluated, native, numbers, ours, sequences
from unified_blocks.layers.recurrent import PARTS

MAKERS = {"native": native, "ours": ours}
NOISE = "ignore:.build... was called on layer"
"""What Keras says of its own Bidirectional in a subclassed model."""

pytestmark = pytest.mark.filterwarnings(NOISE)
every_kind = pytest.mark.parametrize("kind", KINDS)
both = pytest.mark.parametrize("both_ways", [False, True], ids=["ahead", "both ways"])


@every_kind
@both
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_state_is_the_same_everywhere(backend_name, make, kind, both_ways):
    """Built by the state, and by a call; it computes what the others do."""
    x, state = sequences(), numbers(kind, both_ways=both_ways)
    net = ub.load_state(make(backend_name, kind, both_ways=both_ways), state)
    called = make(backend_name, kind, both_ways=both_ways)
    evaluated(called, x)
    ub.load_state(called, state)
    layer = ours(backend_name, kind, both_ways=both_ways).rnn
    inner = {name.removeprefix("rnn."): array for name, array in state.items()}
    for each in (net, called):
        np.testing.assert_allclose(evaluated(each, x)[0], layer.reference(inner, x), atol=1e-12)
        assert list(ub.state(each)) == list(state)
    merged = backend_name == "tensorflow" and make is native and kind != "GRU"
    for name, array in ub.state(net).items():
        if merged and "bias" in name:
            other = name.replace("bias_hh", "bias_ih")
            total = state[other] + state[other.replace("bias_ih", "bias_hh")]
            array, state[name] = array, 0 * total if "hh" in name else total
        np.testing.assert_allclose(array, state[name], rtol=1e-15)


@every_kind
@both
@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("mode", ["forward", "gradient"])
def test_transfers_and_comparisons(backend_name, make, kind, both_ways, mode):
    """From here to every framework and kind of layer, and back."""
    x = sequences()
    net = ub.load_state(make(backend_name, kind, both_ways=both_ways), numbers(kind, 1, both_ways))
    options = {"targets": 0 * evaluated(net, x)[0]} if mode == "gradient" else {}
    for name in ub.available_backends():
        for other_make in MAKERS.values():
            other = other_make(name, kind, both_ways=both_ways)
            ub.transfer(net, other)
            ub.compare(net, other, x, mode=mode, **options).raise_if_different()
            back = ub.transfer(other, make(backend_name, kind, both_ways=both_ways))
            ub.compare(other, back, x, mode=mode, **options).raise_if_different()


@every_kind
def test_a_difference_is_found(backend_name, kind):
    net = ub.load_state(native(backend_name, kind), numbers(kind))
    for part in ("weight_hh", "bias_ih", "bias_hh"):
        other = ub.load_state(ours(backend_name, kind), numbers(kind))
        state = ub.state(other)
        state[f"rnn.{part}_l0"][0] += 0.5
        ub.load_state(other, state)
        found = ub.compare(net, other, sequences()).first_difference
        assert found.name in (f"rnn.{part}_l0", "rnn.bias_ih_l0")


@every_kind
def test_without_biases(backend_name, kind):
    if backend_name == "mxnet":
        pytest.skip("Gluon's own layers have biases")
    state = numbers(kind, biases=False)
    net = ub.load_state(native(backend_name, kind, biases=False), state)
    other = ub.transfer(net, ours(backend_name, kind, biases=False))
    np.testing.assert_allclose(evaluated(net, sequences()), evaluated(other, sequences()), 1e-12)


@pytest.mark.parametrize("layers", [2, 3])
@both
def test_several_layers(backend_name, layers, both_ways):
    if backend_name == "tensorflow":
        pytest.skip("Keras has one layer each")
    net = ub.load_state(
        native(backend_name, "LSTM", layers, both_ways), numbers("LSTM", layers, both_ways)
    )
    for name in ub.available_backends():
        other = ub.transfer(net, ours(name, "LSTM", layers, both_ways))
        ub.compare(net, other, sequences()).raise_if_different()


def test_initialize_draws_the_same(backend_name):
    """The sum of two biases, where Keras has one."""
    a, b = native(backend_name, "LSTM"), ours(backend_name, "LSTM")
    for net in (a, b):
        evaluated(net, sequences())
        ub.initialize(net, 5, "torch_default")
    ub.compare(a, b, sequences()).raise_if_different()


def test_a_trainer_goes_on(backend_name):
    """The velocities of the two biases, and of the one that Keras has."""
    x, y = sequences(), np.zeros((3, 6, 5))
    first = ub.load_state(native(backend_name, "GRU"), numbers("GRU"))
    trainer = ub.Trainer(first, ub.SGD(0.125, 0.875), "mse")
    trainer.step(x, y)
    second = ub.transfer(first, native(backend_name, "GRU"))
    following = ub.load_state(ub.Trainer(second, ub.SGD(0.125, 0.875), "mse"), ub.state(trainer))
    third = ub.transfer(first, ours(backend_name, "GRU"))
    other = ub.load_state(ub.Trainer(third, ub.SGD(0.125, 0.875), "mse"), ub.state(trainer))
    for each in (trainer, following, other):
        each.step(x, y)
    for name, array in ub.state(first).items():
        np.testing.assert_array_equal(array, ub.state(second)[name])
        np.testing.assert_allclose(array, ub.state(third)[name], rtol=1e-9, atol=1e-12)


# cells


def cell(backend_name, kind):
    if backend_name == "torch":
        from torch import nn

        return getattr(nn, kind)(WIDTH, 3).double()
    if backend_name == "tensorflow":
        import keras

        return getattr(keras.layers, {"RNNCell": "SimpleRNNCell"}.get(kind, kind))(
            3, dtype="float64"
        )
    from unified_blocks_mxnet.compat import mx, rnn

    options = {"activation": "tanh"} if kind == "RNNCell" else {}
    net = getattr(rnn, kind)(3, input_size=WIDTH, **options)
    net.cast("float64")
    net.initialize(mx.init.Constant(0.5))
    return net


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cells(backend_name, kind):
    with ub.use_dtype("float64"):
        net = ub.build(getattr(ub, kind)(3), (1, WIDTH))
    generator = np.random.default_rng(0)
    state = {name: generator.normal(size=array.shape) for name, array in ub.state(net).items()}
    ub.load_state(net, state)
    other = ub.transfer(net, cell(backend_name, kind))
    x, h = sequences()[:, 0], generator.normal(size=(3, 3))
    states = (h, 2 * h) if kind == "LSTMCell" else h
    found = evaluated(net, x, states)[0]
    np.testing.assert_allclose(found, output_of(backend_name, other, x, states), atol=1e-12)
    again = ub.transfer(other, net)
    np.testing.assert_allclose(evaluated(again, x, states)[0], found, atol=1e-12)


def output_of(backend_name, net, x, states):
    backend = ub.backend_of(net)
    held = [
        backend.from_numpy(each) for each in (states if isinstance(states, tuple) else [states])
    ]
    x = backend.from_numpy(x)
    if backend_name == "torch":
        found = net(x, tuple(held) if len(held) > 1 else held[0])
        return backend.to_numpy((found[0] if len(held) > 1 else found).detach())
    if backend_name == "mxnet":
        output, _ = net(x.as_nd_ndarray(), [each.as_nd_ndarray() for each in held])
        return output.asnumpy()
    return backend.to_numpy(net(x, held)[0])


# Keras' own


def keras_layers():
    if "tensorflow" not in ub.available_backends():
        pytest.skip("it is Keras'")
    import keras

    return keras.layers


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_gru_that_resets_before_is_another_function(backend_name, wrapped):
    L = keras_layers()
    net = L.GRU(3, reset_after=False, dtype="float64")
    net = L.Bidirectional(net) if wrapped else net
    net(np.zeros((1, 2, 4)))
    with pytest.raises(ub.UnsupportedError, match="GRUCell with reset_after=False, which no other"):
        ub.state(net)


def test_cells_that_lie_on_each_other(backend_name):
    L = keras_layers()
    stack = L.RNN(
        [L.LSTMCell(5, dtype="float64"), L.LSTMCell(5, dtype="float64")], True, dtype="float64"
    )
    net = ub.load_state(stack, {k[4:]: a for k, a in numbers("LSTM", 2).items()})
    other = ours("tensorflow", "LSTM", 2).rnn
    ub.transfer(net, other)
    found, wanted = evaluated(net, sequences())[0], evaluated(other, sequences())[0]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)  # Keras' stack is float32
    mixed = L.RNN([L.LSTMCell(5), L.GRUCell(5)])
    mixed(np.zeros((1, 2, 4), "float32"))
    apart = [f"cell.cells.{i}.{part}" for i in (0, 1) for part in PARTS]  # no other has such
    assert list(ub.state(mixed)) == apart
