"""`tf.train.Checkpoint` saves every weight of a block, however the block holds it."""

from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")

Pair = namedtuple("Pair", ["first", "second"])


@pytest.fixture(autouse=True)
def on_tensorflow():
    with ub.use_backend("tensorflow"):
        yield


class Held(ub.Block):
    """Two layers, in what `hold` makes of them."""

    def __init__(self, hold):
        super().__init__()
        self.parts = hold(ub.Dense(4), ub.MySequential(ub.Dense(3), ub.BatchNorm()))

    def forward(self, X):
        for part in flat(self.parts):
            X = part(X)
        return X


class Late(ub.Block):
    """Its list is filled when it is first called, as some native models do."""

    def __init__(self):
        super().__init__()
        self.parts = []

    def fill(self):
        self.parts.append(ub.Dense(4))
        self.parts += [ub.Dense(3), ub.LayerNorm()]

    def forward(self, X):
        for part in self.parts:
            X = part(X)
        return X


def flat(parts):
    if not isinstance(parts, list | tuple | dict):
        return [parts]
    items = parts.values() if isinstance(parts, dict) else parts
    return [layer for item in items for layer in flat(item)]


HOLDERS = {
    "list": lambda a, b: [a, b],
    "tuple": lambda a, b: (a, b),
    "named tuple": Pair,
    "dict": lambda a, b: {"a": a, "b": b},
    "dict of numbers": lambda a, b: {1: a, 0: b},
    "ordered dict": lambda a, b: OrderedDict(a=a, b=b),
    "list in a list": lambda a, b: [[a], [b]],
    "dict in a tuple": lambda a, b: ({"a": a}, [b]),
    "list in a dict": lambda a, b: {"a": [a, b]},
}


def assert_all_saved(net, folder):
    """The weights in a checkpoint of `net` are those that it has, and come back from it."""
    numbers = [np.full(w.shape, 1.5 + i, w.dtype) for i, w in enumerate(net.weights)]
    net.set_weights(numbers)
    path = tf.train.Checkpoint(net=net).save(str(folder / "checkpoint"))
    reader = tf.train.load_checkpoint(path)
    saved = [
        reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name.startswith("net/")
    ]
    assert sorted(float(a.flat[0]) for a in saved) == [float(a.flat[0]) for a in numbers]
    net.set_weights([np.zeros_like(a) for a in numbers])
    tf.train.Checkpoint(net=net).restore(path).assert_consumed()
    for weight, array in zip(net.weights, numbers, strict=True):
        np.testing.assert_array_equal(weight, array)
    return path


@pytest.mark.parametrize("portable", [False, True])
def test_every_block_of_the_library(case, portable, tmp_path):
    if portable and not hasattr(type(case.make())._native.block, "forward"):
        pytest.skip("written by hand only")
    net = case.make()
    if portable:
        arguments = ub.block.arguments_of(net)
        net = arguments.make(type(net)._native.block.on("tensorflow", portable=True))
    assert_all_saved(ub.build(net, case.input_shape), tmp_path)


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_every_way_to_hold_a_layer(hold, tmp_path):
    net = ub.build(Held(hold), (2, 3))
    assert len(net.weights) == 2 + 2 + 4
    assert_all_saved(net, tmp_path)


@pytest.mark.parametrize("hold", HOLDERS.values(), ids=HOLDERS)
def test_variables_in_containers(hold, tmp_path):
    net = ub.MLP(3, 2)
    net.extra = hold(keras.Variable(np.ones(2)), keras.Variable(np.ones(3)))
    net(normal(2, 4))
    assert len(net.weights) == 2 + 2 + 2
    assert_all_saved(net, tmp_path)


def test_what_was_put_in_later_and_taken_out(tmp_path):
    net = Late()
    net.fill()
    ub.build(net, (2, 3))
    assert_all_saved(net, tmp_path)
    del net.parts[2]
    path = assert_all_saved(net, tmp_path)
    assert not any("parts.2" in name for name, _ in tf.train.list_variables(path))


def test_a_layer_held_twice_is_saved_once(tmp_path):
    layer = ub.Dense(3)
    net = ub.build(ub.MySequential(layer, ub.ReLU(), layer), (2, 3))
    assert_all_saved(net, tmp_path)


def test_a_block_inside_native_models(tmp_path):
    functional = keras.Sequential([keras.Input((3,)), ub.MySequential(ub.Dense(4), ub.Dense(2))])
    assert_all_saved(functional, tmp_path)

    class Native(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = Held(HOLDERS["list"])

        def call(self, X):
            return self.inner(X)

    assert_all_saved(ub.build(Native(), (2, 3)), tmp_path)


class Twin(keras.Model):
    """A native model with attributes, which Keras has always saved."""

    def __init__(self):
        super().__init__()
        self.a, self.b = keras.layers.Dense(4), keras.layers.Dense(3)

    def call(self, X):
        return self.b(self.a(X))


def leaves(net):
    """The layers of `net` that hold no other, in order."""
    inside = getattr(net, "layers", [])
    return [leaf for layer in inside for leaf in leaves(layer)] if inside else [net]


DEFERRED = {
    "native": Twin,
    "list": lambda: Held(HOLDERS["list"]),
    "dict in a tuple": lambda: Held(HOLDERS["dict in a tuple"]),
    "sequential": lambda: ub.MySequential(ub.Dense(4), ub.LayerNorm(), ub.Dense(3)),
}


@pytest.mark.parametrize("make", DEFERRED.values(), ids=DEFERRED)
def test_a_checkpoint_is_restored_before_the_layers_are_built(make, tmp_path):
    x = normal(2, 3)
    net = ub.initialize(ub.build(make(), (2, 3)), 1, "torch_default")
    path = tf.train.Checkpoint(net=net).save(str(tmp_path / "checkpoint"))
    new = make()
    status = tf.train.Checkpoint(net=new).restore(path)
    Y = x
    for layer in leaves(new):  # not `new(x)`: see the next test
        Y = layer(Y)
    status.assert_consumed()
    np.testing.assert_array_equal(new(x), net(x))


@pytest.mark.parametrize("make", DEFERRED.values(), ids=DEFERRED)
def test_keras_says_so_when_a_call_that_builds_a_model_restores_nothing(make, tmp_path):
    net = ub.build(make(), (2, 3))
    path = tf.train.Checkpoint(net=net).save(str(tmp_path / "checkpoint"))
    new = make()
    was_built = bool(new.weights)
    status = tf.train.Checkpoint(net=new).restore(path)
    new(normal(2, 3))
    if was_built:
        status.assert_consumed()
    else:
        with pytest.raises(AssertionError, match="not assigned a value"):
            status.assert_consumed()
        status.expect_partial()


def test_a_checkpoint_is_restored_before_the_list_is_filled(tmp_path):
    net = Late()
    net.fill()
    ub.initialize(ub.build(net, (2, 3)), 1, "torch_default")
    path = tf.train.Checkpoint(net=net).save(str(tmp_path / "checkpoint"))
    new = Late()
    status = tf.train.Checkpoint(net=new).restore(path)
    new.fill()
    Y = x = normal(2, 3)
    for layer in new.parts:
        Y = layer(Y)
    status.assert_consumed()
    np.testing.assert_array_equal(new(x), net(x))


@pytest.mark.parametrize("make", DEFERRED.values(), ids=DEFERRED)
def test_a_manager_and_an_optimizer_continue_a_training(make, tmp_path):
    def begin(net):
        optimizer = keras.optimizers.SGD(0.125, momentum=0.875)
        optimizer.build(net.trainable_variables)
        checkpoint = tf.train.Checkpoint(net=net, optimizer=optimizer)
        return optimizer, tf.train.CheckpointManager(checkpoint, str(tmp_path), max_to_keep=2)

    def step(net, optimizer):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(net(normal(2, 3), training=True))
        optimizer.apply(tape.gradient(loss, net.trainable_variables), net.trainable_variables)

    net = ub.build(make(), (2, 3))
    optimizer, manager = begin(net)
    step(net, optimizer)
    manager.save()
    step(net, optimizer)
    other = ub.build(make(), (2, 3))
    its_optimizer, its_manager = begin(other)
    its_manager.checkpoint.restore(manager.latest_checkpoint).assert_consumed()
    step(other, its_optimizer)
    for ours, theirs in zip(net.weights, other.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras"])
def test_files_of_keras(suffix, tmp_path):
    def make():
        return ub.build(ub.MySequential(ub.Dense(4), ub.BatchNorm()), (2, 3))

    net = ub.initialize(make(), 1, "torch_default")
    file = tmp_path / f"net{suffix}"
    if suffix == ".keras":
        net.save(file)
        new = keras.models.load_model(file)
    else:
        net.save_weights(file)
        new = make()
        new.load_weights(file)
    np.testing.assert_array_equal(new(normal(2, 3)), net(normal(2, 3)))
