"""What the suite holds transfers to, each beside numbers that are worked out by hand."""

import warnings

import numpy as np

import unified_blocks as ub
from testbed.common import normal


def mlp(out_units=4, dtype="float32"):
    return ub.build(ub.MLP(6, out_units, dtype=dtype), (3, 5))


class Both(ub.Block):
    """A dense layer under two names, or two."""

    def __init__(self, tied):
        super().__init__()
        self.one = ub.Dense(5)
        self.two = self.one if tied else ub.Dense(5)

    def forward(self, X):
        return self.two(self.one(X))


def numbers(net, seed=0):
    state = ub.state(net)
    return {
        n: normal(*a.shape, seed=seed + i, dtype=a.dtype) for i, (n, a) in enumerate(state.items())
    }


def check_equal(net, wanted):
    for name, array in ub.state(net).items():
        np.testing.assert_array_equal(array, wanted[name], err_msg=name)


def a_shared_array_fills_each_of_its_names(backend_name):
    source = ub.build(Both(True), (3, 5))
    state = numbers(source)
    target = ub.build(Both(False), (3, 5))
    ub.transfer(ub.load_state(source, state), target)
    twice = {f"two.{name}": state[f"one.{name}"] for name in ("weight", "bias")}
    check_equal(target, {**state, **twice})


def what_does_not_fit_stays(backend_name):
    """A head whose bias alone would fit."""
    source, target = mlp(), mlp()
    state, before = numbers(source), numbers(target, 7)
    ub.load_state(target, before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ub.transfer({**state, "out.weight": normal(4, 7)}, target, partial=True)
    check_equal(target, {n: (state if n.startswith("hidden") else before)[n] for n in before})


def by_order_a_part_ends_at_the_first_difference(backend_name):
    def net(*units):
        return ub.build(ub.MySequential(*map(ub.Dense, units)), (3, 5))

    source, target = net(5, 6, 5, 5), net(5, 5, 5, 5)
    state, before = numbers(source), numbers(target, 9)
    ub.load_state(source, state)
    ub.load_state(target, before)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ub.transfer(source, target, match="order", partial=True)
    check_equal(target, {n: (state if n.startswith("0") else before)[n] for n in before})


def by_order_a_tied_head_fills_one_of_its_own(backend_name):
    from torch import nn

    def net(tied):
        made = nn.Sequential(nn.Embedding(4, 5), nn.Linear(5, 4, bias=False), nn.Linear(4, 4))
        if tied:
            made[1].weight = made[0].weight
        return made

    source, target = net(True), net(False)
    ub.transfer(source, target, match="order")
    state = ub.state(target)
    np.testing.assert_array_equal(state["1.weight"], state["0.weight"])


def a_number_that_would_be_infinite_is_refused(backend_name):
    state = numbers(mlp(dtype="float64"))
    state["out.bias"][1] = 1e300
    try:
        with np.errstate(over="ignore"):
            ub.transfer(state, mlp(), cast=True)
    except ub.StateMismatchError:
        return
    raise AssertionError("it became infinite")


def lengths_are_of_each_row(backend_name):
    """The weight of PyTorch's `weight_norm`, from a state dict."""
    target = mlp()
    state = numbers(target)
    g, v = normal(6, 1, seed=3), normal(6, 5, seed=4)
    held = {**state, "hidden.weight_g": g, "hidden.weight_v": v}
    del held["hidden.weight"]
    ub.transfer(held, target)
    wanted = g * v / np.linalg.norm(v.astype("float64"), axis=1, keepdims=True)
    np.testing.assert_allclose(ub.state(target)["hidden.weight"], wanted, rtol=1e-6)


def depthwise_filters_are_in_the_order_of_the_channels(backend_name):
    import keras

    net = keras.Sequential([keras.layers.DepthwiseConv2D(2, depth_multiplier=3)])
    net.build((None, 4, 4, 2))
    kernel = normal(2, 2, 2, 3)
    net.layers[0].kernel.assign(kernel)
    found = ub.state(net)["0.weight"]
    for channel in range(2):
        for k in range(3):
            np.testing.assert_array_equal(found[3 * channel + k, 0], kernel[:, :, channel, k])
    ub.load_state(net, ub.state(net))
    np.testing.assert_array_equal(net.layers[0].kernel, kernel)


def data_is_normalised_by_the_numbers_that_were_loaded(backend_name):
    import keras

    net = keras.Sequential([keras.layers.Normalization()])
    x = normal(3, 2)
    net(x)
    ub.load_state(net, {"0.mean": np.float32([1, 2]), "0.variance": np.float32([4, 9])})
    np.testing.assert_allclose(net(x), (x - [1, 2]) / [2, 3], rtol=1e-5, atol=1e-6)


def slopes_are_of_each_channel(backend_name):
    import keras

    net = keras.Sequential([keras.layers.PReLU(shared_axes=[1])])
    x = -np.ones((1, 4, 3), "float32")
    net(x)
    ub.load_state(net, {"0.weight": np.float32([1, 2, 3])})
    np.testing.assert_array_equal(net(x)[0, 0], [-1, -2, -3])


def a_gru_of_keras_computes_the_same(backend_name):
    recurrent_of_keras("GRU")


def an_lstm_of_keras_computes_the_same(backend_name):
    recurrent_of_keras("LSTM")


def recurrent_of_keras(kind):
    from testbed.recurrent import evaluated, native, numbers, ours, sequences

    net = ub.load_state(ours("tensorflow", kind), numbers(kind))
    other = ub.transfer(net, native("tensorflow", kind))
    found, wanted = (evaluated(each, sequences())[0] for each in (other, net))
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)
