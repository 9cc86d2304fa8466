"""Transposed and depthwise convolutions in networks, in files, and with what they refuse."""

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import BlockContract
from pytest_unified_blocks.layer_cases import LAYERS, made
from pytest_unified_blocks.layer_cases.transposed import TRANSPOSED
from testbed.common import graph, normal, run


class TestTransposed(BlockContract):
    """Every kind in a network that is trained, copied, saved and converted."""

    input_shape = (2, 4, 5, 4)
    output_shape = (2, 2, 11, 8)
    layout = "channels_first"

    def make(self):
        at = {"layout": self.layout}
        return ub.MySequential(
            ub.DepthwiseConv2D(3, padding=1, multiplier=2, activation="tanh", **at),
            ub.Conv2DTranspose(4, 3, 2, 1, 1, groups=2, **at),
            ub.SeparableConv2D(6, 2, activation="tanh", **at),
            ub.Conv2DTranspose(2, 3, padding=((0, 0), (1, 0)), **at),
        )


class TestTransposedWithChannelsLast(TestTransposed):
    input_shape = (2, 5, 4, 4)
    output_shape = (2, 11, 8, 2)
    layout = "channels_last"


@pytest.mark.parametrize("name", TRANSPOSED)
def test_keras_knows_the_size(backend_name, name):
    if backend_name != "tensorflow":
        pytest.skip("it is about Keras")
    import keras

    shape = LAYERS[name].shapes[0]
    net = LAYERS[name].make()
    found = net(keras.Input(shape[1:])).shape
    assert found == (None, *run(net, normal(*shape)).shape[1:])


@pytest.mark.parametrize("name", TRANSPOSED)
def test_a_state_builds_what_is_not_built(backend_name, name):
    shape = LAYERS[name].shapes[0]
    net, x = made(LAYERS[name].make, shape), normal(*shape, dtype="float64")
    with ub.use_dtype("float64"):
        fresh = LAYERS[name].make()
        shapes = {v.name: v.shape for v in ub.backend_of(fresh).variables(fresh)}
        for key, array in ub.state(net).items():  # what is known of them before
            assert len(shapes[key]) == array.ndim
            known = zip(shapes[key], array.shape, strict=True)
            assert all(size in (None, -1, n) for size, n in known), (key, shapes[key])
        other = ub.load_state(fresh, ub.state(net))
    np.testing.assert_array_equal(run(other, x), run(net, x))
    if backend_name != "mxnet":
        return
    compiled = graph(backend_name, other)  # its options are in the graph
    np.testing.assert_allclose(ub.to_numpy(compiled(ub.from_numpy(x))), run(net, x), rtol=1e-12)


def test_the_same_numbers_on_every_framework_in_every_scheme(backend_name):
    for make in (lambda: ub.Conv2DTranspose(4, 3, groups=2), lambda: ub.DepthwiseConv2D(3)):
        net = ub.build(make(), (2, 4, 5, 5))
        weight = ub.state(ub.initialize(net, 0, "torch_default"))["weight"]
        fan_in = weight[0].size  # as PyTorch has it: of what is behind the first axis
        assert 0.8 / np.sqrt(fan_in) < np.abs(weight).max() <= 1 / np.sqrt(fan_in)


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: ub.Conv2D(6, 2, groups=2),
        lambda: ub.Conv2DTranspose(6, 2, groups=2),
        lambda: ub.DepthwiseConv2D(2, multiplier=3),
    ],
)
def test_an_image_of_other_channels(backend_name, make, layout):
    with ub.use_layout(layout):
        net = ub.build(make(), (2, 4, 4, 4))
    shape = (2, 5, 4, 4) if layout == "channels_first" else (2, 4, 4, 5)
    wanted = "n, 4, h, w" if layout == "channels_first" else "n, h, w, 4"
    with pytest.raises(ub.InputError, match=rf"have shape \({wanted}\), .* the channels that weig"):
        run(net, normal(*shape))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ub.Conv2DTranspose(3, 2, padding="same"), ValueError, "padding must be in number"),
        (lambda: ub.Conv2DTranspose(3, 2, 2, 0, 2), ValueError, "output_padding must be below str"),
        (lambda: ub.Conv2DTranspose(3, 2, 1, 0, 1), ValueError, "output_padding=1, strides=1 and"),
        (
            lambda: ub.Conv2DTranspose(3, 2, groups=2),
            ValueError,
            "channels must be a multiple of g",
        ),
        (lambda: ub.Conv1DTranspose(3, 2.5), TypeError, "kernel_size must be whole numbers"),
        (lambda: ub.Conv3DTranspose(0, 2), ValueError, "channels must be at least 1"),
        (lambda: ub.DepthwiseConv2D(3, multiplier=0), ValueError, "multiplier must be at least 1"),
        (lambda: ub.DepthwiseConv2D(3, padding="valid"), ValueError, "padding must be numbers or"),
        (lambda: ub.SeparableConv2D(0, 3), ValueError, "channels must be at least 1"),
        (lambda: ub.Conv2D(3, 3, groups=2), ValueError, "channels must be a multiple of groups"),
    ],
)
def test_what_is_refused(backend_name, make, error, message):
    with pytest.raises(error, match=message):
        make()
