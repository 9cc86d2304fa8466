"""Layers that pad and resize in networks, in files, and with what they refuse."""

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import BlockContract
from testbed.common import graph, normal, run
from unified_blocks import ops


class TestResizing(BlockContract):
    """Every kind in a network that is trained, copied, saved and converted."""

    input_shape = (2, 3, 5, 4)
    output_shape = (2, 2, 20, 16)
    layout = "channels_first"

    def make(self):
        at = {"layout": self.layout}
        return ub.MySequential(
            ub.ReflectPad2D(((1, 0), (0, 1)), **at),
            ub.Conv2D(4, 2, activation="tanh", **at),
            ub.UpSampling2D(interpolation="bilinear", **at),
            ub.ZeroPad2D(1, **at),
            ub.Conv2D(8, 3, **at),
            ub.PixelShuffle(2, **at),
            ub.UpSampling2D((1, 1), **at),
        )


class TestResizingWithChannelsLast(TestResizing):
    input_shape = (2, 5, 4, 3)
    output_shape = (2, 20, 16, 2)
    layout = "channels_last"


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize(
    ("make", "size", "expected"),
    [
        (lambda: ub.ZeroPad2D(((1, 2), (0, 0))), (8, 5, 4), (8, 8, 4)),
        (lambda: ub.ReflectPad2D((1, 3)), (8, 5, 4), (8, 7, 10)),
        (lambda: ub.UpSampling2D((2, 3)), (8, 5, 4), (8, 10, 12)),
        (lambda: ub.UpSampling2D(2, interpolation="bilinear"), (8, 5, 4), (8, 10, 8)),
        (lambda: ub.PixelShuffle(2), (8, 5, 4), (2, 10, 8)),
    ],
)
def test_sizes(backend_name, make, size, expected, layout):
    with ub.use_layout(layout):
        net = make()
    first = layout == "channels_first"
    shape, after = ((2, *each) if first else (2, *each[1:], each[0]) for each in (size, expected))
    assert run(net, normal(*shape)).shape == after
    if backend_name == "tensorflow":  # Keras knows them before it computes
        import keras

        assert net(keras.Input(shape[1:])).shape == (None, *after[1:])


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("factor", [2, 3, 7, 10])
def test_upsampling_is_resizing(backend_name, interpolation, factor):
    x = normal(1, 2, 7, 5, dtype="float64")
    resized = ub.Lambda(lambda X: ops.resize(X, (7 * factor, 5 * factor), method=interpolation))
    net = ub.UpSampling2D(factor, interpolation=interpolation)
    np.testing.assert_allclose(run(net, x), run(resized, x), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 7, 29])
def test_the_nearest_is_counted_exactly(backend_name, n):
    x = np.arange(n, dtype="float32").reshape(1, 1, 1, n)
    for m in (1, 3, 10, 41, 3 * n, 7 * n, 29 * n):
        resized = run(ub.Lambda(lambda X, m=m: ops.resize(X, (2, m))), x)
        np.testing.assert_array_equal(resized[0, 0, 1], np.arange(m) * n // m)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge"])
def test_padding_of_unknown_sizes(backend_name, mode):
    """In a graph that is made for no size."""
    if backend_name == "mxnet":
        pytest.skip("every graph of MXNet's is")
    net = ub.Lambda(lambda X: ops.pad(X, ((0, 0), (1, 0), (2, 2)), mode=mode))
    x, expected = normal(2, 4, 6), None
    expected = np.pad(x, ((0, 0), (1, 0), (2, 2)), mode=mode)
    if backend_name == "tensorflow":
        import tensorflow as tf

        traced = tf.function(net, input_signature=[tf.TensorSpec((None, None, None), "float32")])
    else:
        import torch

        sizes = {"X": (dict.fromkeys(range(3), torch.export.Dim.DYNAMIC),)}
        exported = torch.export.export(net, (torch.ones(3, 5, 7),), dynamic_shapes=sizes)
        traced = exported.module()
    np.testing.assert_array_equal(ub.to_numpy(traced(ub.from_numpy(x))), expected)


def test_padding_of_whole_numbers(backend_name):
    x = ub.from_numpy(np.array([[1, 2]]))
    np.testing.assert_array_equal(
        ub.to_numpy(ops.pad(x, ((0, 1), (1, 0)), value=7)), [[7, 1, 2], [7, 7, 7]]
    )
    with pytest.raises(TypeError, match=r"ops\.pad: with a tensor of .* a number must be a whole"):
        ops.pad(x, ((0, 0), (1, 0)), value=0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: ops.pad(x, ((1, 1),), mode="wrap"), "mode must be one of constant, reflect, ed"),
        (lambda x: ops.pad(x, ((1, 1),)), "for each of 2 axes; got pad_width"),
        (lambda x: ops.pad(x, ((1, -1), (0, 0))), "of numbers from 0 for each of 2 axes"),
        (lambda x: ops.pad(x, ((0, 0), (3, 0)), mode="reflect"), "below the size of each axis"),
        (lambda x: ops.resize(x, (0, 2)), "size must be whole numbers of at least 1"),
        (lambda x: ops.resize(x, (2,), method="cubic"), "method must be one of nearest, bilinear"),
        (lambda x: ops.resize(x, (2,), align_corners=True), 'align_corners must be False for "nea'),
    ],
)
def test_what_an_operation_refuses(backend_name, call, message):
    with pytest.raises(ValueError, match=message):
        call(ub.from_numpy(normal(2, 3)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ub.ZeroPad2D("same"), "padding must be in numbers; got padding=.same."),
        (lambda: ub.ZeroPad2D((1, 2, 3)), "one whole number, or one for each of 2 axes"),
        (lambda: ub.ReflectPad1D(-1), "padding must be at least 0"),
        (lambda: ub.UpSampling2D(0), "size must be at least 1"),
        (lambda: ub.UpSampling2D(interpolation="cubic"), "interpolation must be one of nearest, b"),
        (lambda: ub.UpSampling2D(align_corners=True), "align_corners must be False"),
        (lambda: ub.PixelShuffle(0), "factor must be at least 1"),
        (lambda: ub.ZeroPad2D(1, layout="NCHW"), "layout must be one of"),
    ],
)
def test_what_is_refused(backend_name, make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ub.MySequential(ub.ZeroPad2D(1), ub.ReflectPad2D(1)),
        lambda: ub.UpSampling2D(2, interpolation="bilinear", align_corners=True),
        lambda: ub.PixelShuffle(1),
    ],
)
def test_in_float16(backend_name, make):
    x = normal(1, 2, 5, 4, dtype="float16")
    with ub.use_dtype("float16"):
        net = make()
    found = run(net, x)
    assert found.dtype == "float16"
    with ub.use_dtype("float64"):
        expected = run(make(), x.astype("float64"))
    np.testing.assert_allclose(found, expected, rtol=3e-3, atol=3e-3)
    compiled = ub.to_numpy(graph(backend_name, net)(ub.from_numpy(x)))
    np.testing.assert_allclose(compiled, expected, rtol=1e-2, atol=1e-2)


def test_six_axes(backend_name):
    x = ub.from_numpy(normal(1, 2, 1, 3, 2, 2))
    widths = (*((0, 0),) * 3, (1, 0), (0, 2), (0, 1))
    if backend_name == "mxnet":
        with pytest.raises(ub.UnsupportedError, match="at most 5 axes; got 6"):
            ops.pad(x, widths)
        return
    np.testing.assert_array_equal(
        ub.to_numpy(ops.pad(x, widths, value=1)),
        np.pad(ub.to_numpy(x), widths, constant_values=1),
    )
