"""The pooling layers in networks, in files, with what they refuse, and beside hand-written ones."""

import numpy as np
import pytest

import unified_blocks as ub
from pytest_unified_blocks import BlockContract
from testbed.common import graph, normal, run

POOLS = (ub.MaxPool2D, ub.AvgPool2D)


class TestPools(BlockContract):
    """Every kind of pooling in a network that is trained, copied, saved and converted."""

    input_shape = (2, 3, 9, 8)
    output_shape = (2, 4)

    layout = "channels_first"

    def make(self):
        at = {"layout": self.layout}
        return ub.MySequential(
            ub.Conv2D(4, 3, padding=1, activation="tanh", **at),
            ub.MaxPool2D(3, 2, padding=((1, 0), (0, 1)), **at),
            ub.Conv2D(5, 2, **at),
            ub.AvgPool2D(2, padding=1, ceil_mode=True, count_include_pad=False, **at),
            ub.Conv2D(4, 1, **at),
            ub.GlobalAvgPool2D(**at),
            ub.Flatten(),
        )


class TestPoolsWithChannelsLast(TestPools):
    input_shape = (2, 9, 8, 3)
    layout = "channels_last"


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
@pytest.mark.parametrize(
    ("make", "size", "expected"),
    [
        (lambda: ub.MaxPool2D(3, 2, padding=1), (8, 7), (4, 4)),
        (lambda: ub.AvgPool2D(3, 2, ceil_mode=True), (8, 7), (4, 3)),
        (lambda: ub.MaxPool2D(2, 3, padding=1, ceil_mode="full"), (5, 6), (3, 3)),
        (lambda: ub.MaxPool2D(2, 3, padding=1, ceil_mode=True), (5, 6), (2, 3)),
        (lambda: ub.AvgPool2D(2, 3, padding="same"), (7, 6), (3, 2)),
        (lambda: ub.GlobalMaxPool2D(), (7, 6), (1, 1)),
        (lambda: ub.AdaptiveAvgPool2D((1, 3)), (7, 6), (1, 3)),
    ],
)
def test_sizes(backend_name, make, size, expected, layout):
    with ub.use_layout(layout):
        net = make()
    first = layout == "channels_first"
    shape, after = ((2, 5, *each) if first else (2, *each, 5) for each in (size, expected))
    assert run(net, normal(*shape)).shape == after
    if backend_name == "tensorflow":  # Keras knows them before it computes
        import keras

        assert net(keras.Input(shape[1:])).shape == (None, *after[1:])


@pytest.mark.parametrize("cls", POOLS)
@pytest.mark.parametrize("shape", [(2, 3, 7, 6), (1, 1, 8, 9)])
def test_same_with_steps(backend_name, cls, shape):
    net, x = cls(3, 2, padding="same"), normal(*shape, dtype="float64")
    np.testing.assert_allclose(run(net, x), net.reference({}, x), rtol=1e-12)
    if backend_name != "mxnet":
        np.testing.assert_allclose(
            ub.to_numpy(graph(backend_name, net)(ub.from_numpy(x))),
            net.reference({}, x),
            rtol=1e-12,
        )
        return
    net.hybridize()
    with pytest.raises(ub.UnsupportedError, match=r'padding "same" .* as pairs \(before, after\)'):
        net(ub.from_numpy(x))


@pytest.mark.capability("empty-batches")
@pytest.mark.parametrize("cls", POOLS)
def test_an_empty_batch(backend_name, cls):
    for net in (cls(2), cls(3, padding=((1, 0), (2, 1))), ub.GlobalAvgPool2D()):
        out = run(net, np.zeros((0, 3, 6, 6), "float32"))
        assert (out.shape[:2], out.size) == ((0, 3), 0)


def test_padding_is_never_the_largest(backend_name):
    x = -(normal(1, 1, 4, 4, dtype="float64") ** 2) - 1
    for padding in (1, ((0, 1), (1, 0)), "same"):
        assert run(ub.MaxPool2D(3, 1, padding), x).max() == x.max()


def test_a_mean_of_nothing_is_0(backend_name):
    net = ub.AvgPool1D(2, 3, padding=1, ceil_mode="full")
    x = np.ones((1, 1, 5))
    np.testing.assert_array_equal(run(net, x), [[[0.5, 1, 0]]])


BY_HAND = {
    "torch": ("MaxPool2d", "AvgPool2d"),
    "tensorflow": ("MaxPooling2D", "AveragePooling2D"),
    "mxnet": ("MaxPool2D", "AvgPool2D"),
}


@pytest.mark.parametrize("number", [0, 1])
def test_it_is_the_framework_s_own(backend_name, number):
    """A plain one is what a user of the framework writes, and gives its bits."""
    if backend_name == "torch":
        from torch import nn as layers
    elif backend_name == "tensorflow":
        from keras import layers
    else:
        from unified_blocks_mxnet.compat import nn as layers
    native = getattr(layers, BY_HAND[backend_name][number])
    net = POOLS[number](3, 2, layout="channels_last" if backend_name == "tensorflow" else None)
    assert isinstance(net, native)
    x = ub.from_numpy(normal(2, 7, 7, 7))
    if backend_name == "mxnet":
        from unified_blocks_mxnet.compat import numpy_semantics

        with numpy_semantics():
            expected = native(3, 2)(x)
    else:
        expected = native(3, 2)(x)
    np.testing.assert_array_equal(ub.to_numpy(net(x)), ub.to_numpy(expected))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ub.MaxPool2D(0), ValueError, "pool_size must be at least 1; got pool_size=0"),
        (lambda: ub.MaxPool2D((2, 2, 2)), ValueError, "one whole number or 2, one for each axis"),
        (lambda: ub.AvgPool2D(2.0), TypeError, "pool_size must be whole numbers"),
        (lambda: ub.AvgPool2D(2, strides=0), ValueError, "strides must be at least 1"),
        (lambda: ub.MaxPool2D(2, padding=2), ValueError, "padding must be below pool_size"),
        (lambda: ub.MaxPool1D(2, padding="valid"), ValueError, 'padding must be numbers or "same"'),
        (lambda: ub.MaxPool2D(2, ceil_mode="ceil"), ValueError, 'False, True or "full"; got'),
        (
            lambda: ub.AvgPool2D(2, padding="same", ceil_mode=True),
            ValueError,
            'ceil_mode must be False where padding="same"',
        ),
        (lambda: ub.AdaptiveAvgPool2D(0), ValueError, "output_size must be at least 1"),
        (lambda: ub.MaxPool2D(2, layout="NHWC"), ValueError, "layout must be one of"),
    ],
)
def test_what_is_refused(backend_name, make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_mean_that_counts_needs_a_size(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("the others have no images of unknown size")
    import keras

    images = keras.Input((None, None, 3))
    with ub.use_layout("channels_last"):
        for net in (ub.AvgPool2D(3, 2, "same", count_include_pad=False), ub.MaxPool2D(3, 2, 1)):
            assert net(images).shape == (None, None, None, 3)
        for net in (ub.AvgPool2D(3, 2, "same"), ub.AdaptiveAvgPool2D(2)):
            with pytest.raises(ub.UnsupportedError, match="size"):
                net.call(images)


@pytest.mark.parametrize("hybridized", [False, True])
@pytest.mark.parametrize("native", [False, True])
def test_gradients_of_what_infers(backend_name, native, hybridized):
    """MXNet's max pooling knows in training only where the largest are; in float32."""
    if backend_name != "mxnet":
        pytest.skip("it is about MXNet")
    from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

    x = normal(2, 3, 8, 7)
    with numpy_semantics():
        net = ub.MySequential(
            nn.MaxPool2D(3, 2) if native else ub.MaxPool2D(3, 2),
            nn.GlobalMaxPool2D() if native else ub.GlobalMaxPool2D(),
        )
        net.hybridize(hybridized)
    found = ub.value_and_grad(net, x, loss="sum", wrt="inputs")[1]["x"]
    np.testing.assert_array_equal(found, x == run(ub.GlobalMaxPool2D(), x[..., :7, :7]))
    if not native and not hybridized:  # a user's own loop
        X = ub.from_numpy(x)
        X.attach_grad()
        with mx.autograd.record(train_mode=False):
            y = net(X)
            assert not mx.autograd.is_training()
        y.backward()
        np.testing.assert_array_equal(X.grad.asnumpy(), found)
