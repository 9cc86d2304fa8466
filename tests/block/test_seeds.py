"""The framework's own seed determines all that a block draws, as it does for native models."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

X = normal(3, 6)


def seed(backend_name, number):
    """Set the framework's own seed."""
    if backend_name == "torch":
        import torch

        torch.manual_seed(number)
    elif backend_name == "tensorflow":
        import keras

        keras.utils.set_random_seed(number)
    else:
        from unified_blocks_mxnet.compat import mx

        mx.random.seed(number)


def drawn(backend_name, shape, initializer="uniform", dtype="float32"):
    """What a hand-written model draws in its constructor, as an array."""
    if backend_name == "torch":
        import torch

        draw = torch.rand if initializer == "uniform" else torch.randn
        return draw(shape, dtype=getattr(torch, dtype)).numpy()
    if backend_name == "tensorflow":
        import keras

        name = {"uniform": "RandomUniform", "normal": "RandomNormal"}[initializer]
        return np.array(getattr(keras.initializers, name)(0.0, 1.0)(shape, dtype))
    from unified_blocks_mxnet.compat import mx, numpy_semantics

    with numpy_semantics():
        return getattr(mx.np.random, initializer)(0, 1, size=shape, dtype=dtype).asnumpy()


class Drawn(ub.Block):
    """A block with random constants, one of them in a block inside it."""

    def __init__(self, initializer="uniform", deep=True):
        super().__init__()
        self.first = ub.Constant(shape=(4, 6), initializer=initializer)
        self.second = ub.Constant(shape=(4, 6), initializer=initializer)
        if deep:
            self.inside = [Drawn(initializer, deep=False)]

    def forward(self, X):
        return ub.ops.matmul(X, ub.ops.transpose(self.first + self.second))


def lazily():
    """Layers that draw when the first input comes, and one that draws in every call."""
    layers = (ub.Dense(4), ub.LayerNorm(), ub.BatchNorm(), ub.Dropout(0.5), ub.Dense(3))
    return ub.build(ub.MySequential(ub.Parallel(ub.Dense(4), ub.Dense(2)), *layers), X.shape)


def embedding():
    """A table that exists."""
    net = ub.Embedding(5, 3)
    backend = ub.backend_of(net)
    backend.run(net, [backend.from_numpy(np.zeros((1,), "int32"))])
    return net


MODELS = {
    "uniform": Drawn,
    "normal": lambda: Drawn("normal"),
    "lazily": lazily,
    "embedding": embedding,
    "fixed": lambda: ub.FixedHiddenMLP(6),
    "fixed, portable": lambda: ub.FixedHiddenMLP.on(ub.get_backend().name, portable=True)(6),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_determines_the_first_numbers(backend_name, name):
    states = []
    for number in (7, 7, 8):
        seed(backend_name, number)
        states.append(ub.state(MODELS[name]()))
    first, again, other = states
    for key, array in first.items():
        np.testing.assert_array_equal(again[key], array, err_msg=key)
    random = [key for key, array in first.items() if np.ptp(array) > 0]
    assert random
    for key in random:
        assert (other[key] != first[key]).all(), key


@pytest.mark.parametrize("initializer", ["uniform", "normal"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_is_what_a_hand_written_model_draws(backend_name, initializer, dtype):
    seed(backend_name, 7)
    with ub.use_dtype(dtype):
        found = ub.state(Drawn(initializer))
    after = drawn(backend_name, (2,))
    seed(backend_name, 7)
    names = ("first", "second", "inside.0.first", "inside.0.second")
    for name in names:
        expected = drawn(backend_name, (4, 6), initializer, dtype)
        np.testing.assert_array_equal(found[name], expected)
        assert found[name].dtype == dtype
    np.testing.assert_array_equal(drawn(backend_name, (2,)), after)


@pytest.mark.parametrize("shape", [3, (), (1, 2), [2, 3], np.int64(2)])
def test_the_shape_of_a_random_constant(backend_name, shape):
    class Shaped(ub.Block):
        def __init__(self):
            super().__init__()
            self.numbers = ub.Constant(shape=shape)

        def forward(self, X):
            return X

    numbers = ub.state(Shaped())["numbers"]
    assert numbers.shape == np.empty(shape).shape
    assert ((numbers >= 0) & (numbers < 1)).all()


def test_uniform_and_normal_are_what_they_say(backend_name):
    class Many(ub.Block):
        def __init__(self):
            super().__init__()
            self.uniform = ub.Constant(shape=(10_000,))
            self.normal = ub.Constant(shape=(10_000,), initializer="normal")

        def forward(self, X):
            return X

    seed(backend_name, 7)
    numbers = ub.state(Many())
    assert abs(numbers["uniform"].mean() - 1 / 2) < 0.02
    assert abs(numbers["uniform"].std() - 12**-0.5) < 0.01
    assert abs(numbers["normal"].mean()) < 0.05
    assert abs(numbers["normal"].std() - 1) < 0.05


def native_dropout(backend_name):
    """The framework's own layer."""
    if backend_name == "torch":
        from torch import nn

        return nn.Dropout(0.5)
    if backend_name == "tensorflow":
        import keras

        return keras.layers.Dropout(0.5)
    from unified_blocks_mxnet.compat import mx

    return mx.gluon.nn.Dropout(0.5)


@pytest.mark.parametrize("kind", ["layer", "native", "operation"])
def test_the_seed_determines_the_masks_of_dropout(backend_name, kind):
    class Masked(ub.Block):
        def forward(self, X):
            return ub.ops.dropout(X, 0.5, training=True)

    make = {
        "layer": lambda: ub.Dropout(0.5),
        "native": lambda: native_dropout(backend_name),
        "operation": Masked,
    }[kind]

    def masks():
        seed(backend_name, 7)
        net = make()
        backend = ub.backend_of(net)
        x = backend.from_numpy(np.ones((8, 8), "float32"))
        return [backend.to_numpy(backend.run(net, [x], train=True)) for _ in range(2)]

    first, again = masks(), masks()
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()


def test_initialize_draws_the_same_on_every_framework_whatever_the_seed(backend_name):
    seed(backend_name, 7)
    found = ub.state(ub.initialize(Drawn(), seed=3))
    generator = np.random.Generator(np.random.PCG64(3))
    for name in sorted(found):
        np.testing.assert_array_equal(found[name], generator.random((4, 6)).astype("float32"))
