"""Transposed and depthwise convolutions and pools, native ones and ours: moved, compared."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, normal

torch = pytest.importorskip("torch")
pytest.importorskip("keras")
if "mxnet" not in HERE:
    pytest.skip("needs MXNet", allow_module_level=True)
SHAPE = (2, 4, 6, 6)


def by_torch():
    from torch import nn

    net = nn.Sequential(
        nn.ConvTranspose2d(4, 6, 4, 2, 1),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(6, 12, 3, groups=6),
        nn.AvgPool2d(2, 1),
        nn.Conv2d(12, 5, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    return net.double().eval(), "NCHW"


def by_keras():
    import keras
    from keras import layers

    options = {"dtype": "float64"}
    net = keras.Sequential(
        [
            layers.Conv2DTranspose(6, 4, 2, "same", **options),
            layers.MaxPooling2D(3, 2, **options),
            layers.DepthwiseConv2D(3, depth_multiplier=2, **options),
            layers.AveragePooling2D(2, 1, **options),
            layers.Conv2D(5, 1, **options),
            layers.GlobalAveragePooling2D(**options),
            layers.Flatten(**options),
        ]
    )
    net.build((None, *SHAPE[2:], SHAPE[1]))
    return net, "NHWC"


def by_gluon():
    from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

    with numpy_semantics():
        net = nn.HybridSequential()
        net.add(
            nn.Conv2DTranspose(6, 4, 2, 1, in_channels=4),
            nn.MaxPool2D(3, 2),
            nn.Conv2D(12, 3, groups=6, in_channels=6),
            nn.AvgPool2D(2, 1),
            nn.Conv2D(5, 1, in_channels=12),
            nn.GlobalAvgPool2D(),
            nn.Flatten(),
        )
        net.initialize(mx.init.Uniform(0.5))
        net.cast("float64")
    return net, "NCHW"


def ours(backend):
    with ub.use_backend(backend), ub.use_dtype("float64"):
        net = ub.MySequential(
            ub.Conv2DTranspose(6, 4, 2, 1),
            ub.MaxPool2D(3, 2),
            ub.DepthwiseConv2D(3, multiplier=2),
            ub.AvgPool2D(2, 1),
            ub.Conv2D(5, 1),
            ub.GlobalAvgPool2D(),
            ub.Flatten(),
        )
        ub.build(net, SHAPE)
    return (net.eval() if backend == "torch" else net), "NCHW"


NETS = {
    "torch by hand": by_torch,
    "keras by hand": by_keras,
    "gluon by hand": by_gluon,
    **{f"ours on {name}": lambda name=name: ours(name) for name in HERE},
}


def numbered(net):
    generator = np.random.default_rng(0)
    for v in ub.backend_of(net).variables(net):
        v.write(generator.uniform(-1, 1, v.shape).astype(v.dtype))
    return net


@pytest.mark.parametrize("b", NETS)
@pytest.mark.parametrize("a", NETS)
def test_from_each_to_each(a, b):
    (a, of_a), (b, of_b) = NETS[a](), NETS[b]()
    ub.transfer(numbered(a), b)
    expected, found = ub.state(a), ub.state(b)
    assert [array.shape for array in expected.values()] == [a.shape for a in found.values()]
    for array, other in zip(expected.values(), found.values(), strict=True):
        np.testing.assert_array_equal(array, other)
    options = {} if of_a == of_b == "NCHW" else {"layouts": (of_a, of_b)}
    x = normal(*SHAPE, dtype="float64")
    ub.compare(a, b, np.moveaxis(x, 1, -1) if of_a == "NHWC" else x, **options).raise_if_different()


def test_separable():
    """Keras' own is one layer, and two elsewhere, ours among them."""
    import keras

    native = keras.Sequential([keras.layers.SeparableConv2D(5, 3, depth_multiplier=2)])
    native.build((None, 6, 6, 4))
    with ub.use_backend("torch"):
        net = ub.build(ub.MySequential(ub.SeparableConv2D(5, 3, multiplier=2)), SHAPE)
    state = ub.state(numbered(native))
    assert {name.partition(".")[2] for name in state} == {
        "depthwise.weight",
        "pointwise.weight",
        "pointwise.bias",
    }
    ub.transfer(native, net)
    x = normal(*SHAPE)
    y = np.moveaxis(native(np.moveaxis(x, 1, -1)).numpy(), -1, 1)
    np.testing.assert_allclose(ub.to_numpy(net(ub.from_numpy(x, "torch"))), y, rtol=1e-4, atol=1e-5)
