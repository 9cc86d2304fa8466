"""On TensorFlow a run of layers of images turns the axes once; what it holds is seen by nobody."""

import copy

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")

from unified_blocks_tensorflow.images import Image  # TensorFlow may be missing

X = normal(2, 3, 9, 8)


@pytest.fixture(autouse=True)
def tensorflow():
    with ub.use_backend("tensorflow"):
        yield


@pytest.fixture
def turns(monkeypatch):
    """Each order of axes that TensorFlow was asked for."""
    asked = []
    transpose = tf.transpose

    def counted(x, axes):
        asked.append(axes)
        return transpose(x, axes)

    monkeypatch.setattr(tf, "transpose", counted)
    return asked


class Residual(ub.Block):
    def __init__(self, channels):
        super().__init__()
        self.body = ub.MySequential(ub.Conv2D(channels, 3, padding=1), ub.GELU())

    def forward(self, X):
        return ub.ops.relu(1 - X * 2 + self.body(X))


def deep():
    return ub.MySequential(
        ub.Conv2D(4, 3),
        ub.repeat(lambda: Residual(4), 3),
        ub.Parallel(ub.Conv2D(2, 1), ub.Conv2D(3, 1, activation="silu"), axis=1),
        ub.Dropout(0.5),
        ub.Lambda(lambda X: ub.ops.softmax(X, axis=1)),
    )


@pytest.mark.parametrize("traced", [False, True])
def test_a_network_turns_twice(turns, traced):
    net = deep()
    net(X)
    turns.clear()
    (tf.function(net) if traced else net)(X)
    assert turns == [(0, 2, 3, 1), (0, 3, 1, 2)]


class Shared(ub.Block):
    """Two blocks of the same images, and a third that may be none."""

    def __init__(self):
        super().__init__()
        self.body, self.other = (ub.MySequential(ub.Conv2D(3, 3, padding=1)) for _ in range(2))
        self.shortcut = ub.MySequential()

    def forward(self, X):
        return self.body(X) + self.other(X) + self.shortcut(X)


@pytest.mark.parametrize("traced", [False, True])
def test_images_that_several_blocks_take_are_turned_once(turns, traced):
    net = Shared()
    wanted = net(X)
    turns.clear()
    found = (tf.function(net) if traced else net)(X)
    assert turns == [(0, 2, 3, 1), (0, 3, 1, 2)]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    by_part = sum(part(X) for part in (net.body, net.other, net.shortcut))
    np.testing.assert_allclose(found, by_part, rtol=1e-5, atol=1e-6)


def test_one_with_channels_last_turns_never(turns):
    with ub.use_layout("channels_last"):
        net = ub.MySequential(ub.Conv2D(4, 3), ub.repeat(lambda: Residual(4), 3))
    net(np.moveaxis(X, 1, -1))
    assert turns == []


def test_a_layer_alone_turns_what_it_takes_and_gives(turns):
    layer = ub.Conv2D(4, 3, in_channels=3)
    assert layer(X).shape == (2, 4, 7, 6)
    assert turns == [(0, 2, 3, 1), (0, 3, 1, 2)]


class Everything(ub.Block):
    """A forward that does with an image what one can do with a tensor."""

    def __init__(self, convolve):
        super().__init__()
        self.conv = ub.Conv2D(4, 3, padding=1, in_channels=4) if convolve else ub.ReLU()

    def forward(self, X):
        Y = self.conv(X)
        axes = (2, 3)
        return {
            "shape": ub.ops.zeros_like(Y) + X.shape[1] + len(X.shape),
            "operators": (-Y + 1) * 2 / (Y * Y + 3) - Y**2 + 1 / (ub.ops.abs(Y) + 1),
            "with a number": ub.ops.sum(Y) * Y,
            "with another shape": Y + ub.ops.sum(Y, axis=axes, keepdims=True)[:, :, :1],
            "part": Y[:, 1:],
            "compared": ub.ops.where(Y > 0, Y, X),
            "mean": ub.ops.mean(Y, axis=axes),
            "mean of channels": ub.ops.mean(Y, axis=1),
            "kept": ub.ops.max(Y, axis=1, keepdims=True),
            "one axis": ub.ops.sum(Y, axis=3),
            "all": ub.ops.sum(Y),
            "softmax": ub.ops.softmax(Y, axis=1),
            "softmax of rows": ub.ops.log_softmax(Y, axis=-1),
            "joined": ub.ops.concat([X, Y, Y], axis=1),
            "joined below": ub.ops.concat([Y, X], axis=-2),
            "reshaped": ub.ops.reshape(Y, (ub.KEEP, -1)),
            "turned": ub.ops.permute_dims(Y, (3, 1, 0, 2)),
            "stacked": ub.ops.stack([X, Y], axis=1),
            "product": ub.ops.matmul(Y, ub.ops.matrix_transpose(Y)),
            "cast": ub.ops.astype(Y, "float64"),
            "clipped": ub.ops.clip(Y, -0.5, None),
            "list": [Y, (X, Y)],
        }


def test_a_forward_cannot_tell():
    """With the convolution the identity, it gives what it gives without images."""
    x = np.maximum(normal(2, 4, 5, 6), 0)
    net, plain = Everything(convolve=True), Everything(convolve=False)
    kernel = np.zeros((4, 4, 3, 3), "float32")
    kernel[range(4), range(4), 1, 1] = 1
    ub.load_state(net, {"conv.weight": kernel, "conv.bias": np.zeros(4, "float32")})
    wanted, found, traced = plain(x), net(x), tf.function(net)(x)
    for actual in (found, traced):
        tf.nest.assert_same_structure(actual, wanted)
        for a, b in zip(tf.nest.flatten(actual), tf.nest.flatten(wanted), strict=True):
            assert tf.is_tensor(a)
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


class Looping(ub.Block):
    """Control flow on tensors, which becomes a part of the graph."""

    def __init__(self):
        super().__init__()
        self.conv = ub.Conv2D(3, 3, padding=1)

    def forward(self, X):
        Y = self.conv(X)
        Y = Y * 2 if ub.ops.sum(Y) > 0 else Y - X
        while ub.ops.sum(ub.ops.abs(Y)) > 1:
            Y = Y / 2
        return Y


def test_control_flow():
    net = Looping()
    np.testing.assert_allclose(tf.function(net)(X), net(X), rtol=1e-5, atol=1e-7)


class OfOthers(ub.Block):
    """Layers of Keras and functions of TensorFlow between convolutions."""

    def __init__(self):
        super().__init__()
        self.first = ub.Conv2D(4, 3, padding=1)
        self.keras = keras.layers.Dense(8)
        self.net = ub.MySequential(ub.Conv2D(2, 1), keras.layers.Activation("tanh"), Own())

    def forward(self, X):
        return self.net(self.keras(self.first(X)))


class Own(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.conv = ub.Conv2D(3, 1)
        self.seen = []

    def call(self, x):
        self.seen.append(x)
        return tf.nn.relu(self.conv(x))


def test_layers_of_others_get_tensors():
    net = OfOthers()
    y = net(X)
    assert tf.is_tensor(y)
    assert all(tf.is_tensor(x) for x in net.net[2].seen)
    with ub.use_backend("tensorflow"):
        wanted = net.first(X)
    assert tf.is_tensor(wanted)
    steps = net.net[0](net.keras(wanted))
    np.testing.assert_allclose(y, tf.nn.relu(net.net[2].conv(tf.tanh(steps))), rtol=1e-5, atol=1e-6)


class Doubled(ub.Conv2D.on("tensorflow")):
    """A subclass of a native layer, whose `call` is in the layout of the layer."""

    def call(self, X):
        assert X.shape[1] == 3
        return 2 * super().call(X)


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_a_subclass_with_a_call_of_its_own(layout):
    x = X if layout == "channels_first" else np.moveaxis(X, 1, -1)[:, :3]
    net = ub.MySequential(Doubled(4, 3, layout=layout), ub.ReLU())
    plain = ub.Conv2D(4, 3, layout=layout)
    ub.build(plain, x.shape)
    y = net(x)
    ub.load_state(plain, {k.removeprefix("0."): v for k, v in ub.state(net).items()})
    np.testing.assert_allclose(y, tf.nn.relu(2 * plain(x)), rtol=1e-6, atol=1e-6)


def test_a_functional_model(tmp_path):
    net, alone = deep(), ub.Conv2D(2, 3)
    inputs = keras.Input((3, 9, 8))
    model = keras.Model(inputs, [net(inputs), alone(inputs)])
    for found, wanted in zip(model(X), (net(X), alone(X)), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-6)
    assert model.output_shape == [(None, 5, 7, 6), (None, 2, 7, 6)]


def test_keras_knows_the_shape_of_the_output():
    for layer, shape in (
        (ub.Conv2D(4, 3, padding=((2, 0), (0, 1)), strides=2), (2, 3, 9, 8)),
        (ub.Conv2D(4, 2, dilation=2, strides=(2, 1), padding="same"), (2, 3, 9, 8)),
        (ub.Conv1D(4, 3, padding=1), (2, 3, 9)),
    ):
        told = layer.compute_output_shape(shape)
        assert tuple(told) == layer(np.zeros(shape, "float32")).shape


def test_it_trains_and_is_exported(tmp_path):
    net = ub.MySequential(ub.Conv2D(4, 3), Residual(4), ub.Flatten(), ub.Dense(2))
    net.compile(keras.optimizers.SGD(1e-4), "mse")
    history = net.fit(X, normal(2, 2), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    net.export(tmp_path / "saved", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "saved")
    np.testing.assert_allclose(loaded.serve(X), net(X), rtol=1e-5, atol=1e-6)


def test_calls_are_seen_with_channels_after_the_batch():
    net = deep()
    net(X)
    shapes = []

    def ends(layer, inputs, output):
        shapes.append((type(layer).__name__, tuple(inputs[0].shape), tuple(output.shape)))

    with ub.backend_of(net).watch(net, lambda *_: None, ends):
        net(X)
    assert shapes[0] == ("Conv2D", (2, 3, 9, 8), (2, 4, 7, 6))
    assert ("GELU", (2, 4, 7, 6), (2, 4, 7, 6)) in shapes
    assert ("Parallel", (2, 4, 7, 6), (2, 5, 7, 6)) in shapes
    assert all(x[2:] in ((9, 8), (7, 6)) and y[2:] == (7, 6) for _, x, y in shapes)


def test_an_image_can_be_copied():
    image = Image(first=tf.constant(X))
    np.testing.assert_array_equal(copy.copy(image).last, np.moveaxis(X, 1, -1))
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = image.colour


class Branching(ub.Block):
    """An image that is turned for the first time in one branch, and wanted in the other too."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = (ub.Conv2D(3, 3, padding=1) for _ in range(3))

    def forward(self, X):
        Y = self.first(X) if ub.ops.sum(X) > 0 else self.second(X)
        return Y + self.third(X)


def test_an_image_turned_in_a_branch():
    net = Branching()
    for x in (X, np.abs(X), -np.abs(X)):
        np.testing.assert_allclose(tf.function(net)(x), net(x), rtol=1e-5, atol=1e-5)
