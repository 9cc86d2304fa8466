"""Layers that are told an axis, in both layouts: what they join, drop together and flatten."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import graph, normal, run

LAST = "channels_last"


def in_both(make):
    """The same in either layout."""
    with ub.use_layout(LAST):
        last = make()
    return make(), last


def moved(x):
    return np.moveaxis(x, 1, -1)


@pytest.mark.parametrize("axis", [0, 1, 2, 3, -1, -2, -3, "channels"])
def test_an_axis_is_that_of_the_first_layout(backend_name, axis):
    x = normal(2, 3, 4, 5)
    for make in (
        lambda: ub.Parallel(ub.ReLU(), ub.Tanh(), axis=axis),
        lambda: ub.Softmax(axis),
        lambda: ub.LogSoftmax(axis),
    ):
        first, last = in_both(make)
        np.testing.assert_allclose(run(last, moved(x)), moved(run(first, x)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("axis", [1, -2])
def test_of_three_axes_the_channels_are_named(backend_name, axis):
    for make in (lambda: ub.Softmax(axis), lambda: ub.Parallel(ub.ReLU(), axis=axis)):
        _, last = in_both(make)
        with pytest.raises(ValueError, match=f'got axis={axis}: write axis="channels"'):
            run(last, normal(2, 3, 4))
    first, last = in_both(lambda: ub.Parallel(ub.ReLU(), ub.Tanh(), axis="channels"))
    x = normal(2, 3, 4)
    np.testing.assert_array_equal(run(last, moved(x)), moved(run(first, x)))


def test_a_graph_of_mxnet_is_told_the_channels_by_name(backend_name):
    if backend_name != "mxnet":
        pytest.skip("other frameworks' graphs tell how many axes there are")
    _, last = in_both(lambda: ub.Parallel(ub.ReLU(), ub.Tanh(), axis=1))
    last.hybridize()
    with pytest.raises(ub.UnsupportedError, match='got axis=1: write axis="channels"'):
        run(last, normal(2, 3, 4, 5))


def test_another_text_is_no_axis(backend_name):
    for make in (lambda: ub.Softmax("rows"), lambda: ub.Parallel(ub.ReLU(), axis="rows")):
        with pytest.raises(ValueError, match='axis must be a number or "channels"; got axis='):
            make()


def test_a_copy_on_another_framework_keeps_the_layout(backend_name, tmp_path):
    _, last = in_both(lambda: ub.Parallel(ub.Dense(3), ub.Dense(4), axis="channels"))
    x = normal(2, 3, 4, 5)
    ub.build(last, x.shape)
    ub.save(last, tmp_path / "net.safetensors")
    for other in (ub.load(tmp_path / "net.safetensors"), ub.convert(last, backend_name)):
        np.testing.assert_allclose(run(other, x), run(last, x), rtol=1e-6)


# Dropout


@pytest.mark.parametrize("layout", ["channels_first", LAST])
@pytest.mark.parametrize("axes", [(2, 3), (1,), (1, 2), (0,), (3,)])
def test_numbers_are_dropped_together_along_axes(backend_name, layout, axes):
    net = ub.Dropout(0.5, axes, layout=layout)
    shape = (6, 5, 4, 7) if layout == "channels_first" else (6, 4, 7, 5)
    backend = ub.backend_of(net)
    x = backend.from_numpy(np.ones(shape, "float32"))
    assert (backend.to_numpy(backend.run(net, [x], train=False)) == 1).all()
    y = backend.to_numpy(backend.run(net, [x], train=True))
    y = y if layout == "channels_first" else np.moveaxis(y, -1, 1)
    assert set(np.unique(y)) <= {0, 2}
    # of each that are dropped together all are the same; along the other axes they differ
    assert (y == y.max(axes, keepdims=True)).all()
    others = [axis for axis in range(4) if axis not in axes]
    assert all((y != y.max(axis, keepdims=True)).any() for axis in others)


def test_dropping_together_has_the_gradient_of_what_was_dropped(backend_name):
    net = ub.MySequential(ub.Dropout(0.5, (2,)))
    x = normal(40, 6, 5, dtype="float64")
    _, gradients = ub.value_and_grad(net, x, loss="sum", wrt="inputs", train=True)
    gradient = next(iter(gradients.values())) if isinstance(gradients, dict) else gradients
    assert set(np.unique(gradient)) == {0, 2}
    assert (gradient == gradient[:, :, :1]).all()


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [
        (2, TypeError, "Dropout: axes must be a tuple of whole numbers; got axes=2"),
        ((1.0,), TypeError, "axes must be a tuple of whole numbers"),
        ((-1,), ValueError, r"axes must be numbers from 0 on, .* got axes=\(-1,\)"),
    ],
)
def test_wrong_axes(backend_name, axes, error, message):
    with pytest.raises(error, match=message):
        ub.Dropout(0.5, axes)


# Flatten


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 4), (2, 3), (2, 3, 4, 5, 2)])
def test_flatten_gives_one_order(backend_name, shape):
    x = normal(*shape)
    first, last = in_both(ub.Flatten)
    for net in (last, graph(backend_name, last)):
        y = ub.to_numpy(net(ub.from_numpy(moved(x))))
        np.testing.assert_array_equal(y, run(first, x))
