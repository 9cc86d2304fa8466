"""In both layouts of images a network has the same state, and gives the same numbers moved."""

import pickle
import threading

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import HERE, graph, normal, run
from unified_blocks.reference.gradients import reference_output


class Residual(ub.Block):
    """A sum of what goes in and what two convolutions make of it."""

    def __init__(self, channels):
        super().__init__()
        self.body = ub.MySequential(
            ub.Conv2D(channels, 3, padding=1, activation="relu"),
            ub.Conv2D(channels, 3, padding=1),
        )

    def forward(self, X):
        return ub.ops.relu(X + 0.5 * self.body(X))


class Joined(ub.Block):
    """What goes in and what a convolution makes of it, one after the other along the channels."""

    def __init__(self):
        super().__init__()
        self.conv = ub.Conv2D(2, (3, 1), padding=(1, 0))
        self.axis = ub.channels_axis()

    def forward(self, X):
        return ub.ops.concat([X, self.conv(X)], axis=self.axis)


def network():
    return ub.MySequential(
        ub.Conv2D(4, 3, strides=(2, 1)), Residual(4), ub.Lambda(ub.ops.tanh), Joined(), ub.SiLU()
    )


def in_layout(layout, make=network, shape=(2, 3, 9, 8)):
    with ub.use_dtype("float64"), ub.use_layout(layout):
        net = make()
    shape = shape if layout == "channels_first" else (shape[0], *shape[2:], shape[1])
    return ub.initialize(ub.build(net, shape), 1, "torch_default")


X = normal(2, 3, 9, 8, dtype="float64")
LAST = np.moveaxis(X, 1, -1)


def test_the_same_numbers_moved(backend_name):
    first, last = in_layout("channels_first"), in_layout("channels_last")
    wanted = run(first, X)
    assert ub.diff_state(first, last).equal
    np.testing.assert_allclose(np.moveaxis(run(last, LAST), -1, 1), wanted, rtol=1e-12, atol=1e-13)
    compiled = graph(backend_name, last)
    found = ub.to_numpy(compiled(ub.from_numpy(LAST)))
    np.testing.assert_allclose(np.moveaxis(found, -1, 1), wanted, rtol=1e-12, atol=1e-13)


def test_gradients_are_the_same(backend_name):
    first, last = in_layout("channels_first"), in_layout("channels_last")
    y = normal(*run(first, X).shape, dtype="float64", seed=1)
    value, expected = ub.value_and_grad(first, X, y, loss="mse", wrt="both")
    same, found = ub.value_and_grad(last, LAST, np.moveaxis(y, 1, -1), loss="mse", wrt="both")
    assert same == pytest.approx(value, rel=1e-12)
    found["x"] = np.moveaxis(found["x"], -1, 1)
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-10, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_a_copy_has_the_layout_of_the_original(backend_name, layout, tmp_path):
    net = in_layout(layout, lambda: ub.MySequential(ub.Conv2D(4, 3), ub.MySequential(Joined())))
    x = X if layout == "channels_first" else LAST
    wanted = run(net, x)
    ub.save(net, tmp_path / "net.safetensors")
    copies = [ub.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net))]
    if backend_name == "tensorflow":
        import keras

        net.save(tmp_path / "net.keras")
        copies.append(keras.models.load_model(tmp_path / "net.keras"))
    for copy in copies:
        np.testing.assert_array_equal(run(copy, x), wanted)


@pytest.mark.parametrize("other", HERE)
def test_convert_to_a_layout(backend_name, other):
    net = in_layout("channels_first")
    made = ub.convert(net, other, example=X, layout="channels_last")
    np.testing.assert_allclose(
        np.moveaxis(run(made, LAST), -1, 1), run(net, X), rtol=1e-9, atol=1e-10
    )
    back = ub.convert(made, backend_name, example=LAST, layout="channels_first")
    np.testing.assert_allclose(run(back, X), run(net, X), rtol=1e-9, atol=1e-10)
    assert made[0].channels_last
    assert not back[0].channels_last


def test_convert_sees_a_layout_that_was_forgotten(backend_name):
    """A forward that names the axis of the channels by a number does not follow the layout."""
    net = in_layout("channels_first", lambda: ub.MySequential(ub.Conv2D(4, 3), ByNumber()))
    with pytest.raises(ub.NotEquivalentError):
        ub.convert(net, backend_name, example=X, layout="channels_last")


class ByNumber(ub.Block):
    def forward(self, X):
        return ub.ops.mean(X, axis=1)


class Chosen(ub.Block):
    """A block with an argument for it, as with one for the dtype."""

    def __init__(self, *, layout=None):
        super().__init__()
        self.conv = ub.Conv2D(2, 3)

    def forward(self, X):
        return self.conv(X)


def test_a_block_may_have_an_argument_for_it(backend_name):
    assert Chosen(layout="channels_last").conv.channels_last
    assert not Chosen().conv.channels_last
    with ub.use_layout("channels_last"):
        assert Chosen().conv.channels_last
        assert not Chosen(layout="channels_first").conv.channels_last


def test_it_holds_for_this_thread_only(backend_name):
    seen = []
    with ub.use_layout("channels_last"):
        thread = threading.Thread(target=lambda: seen.append(ub.channels_axis()))
        thread.start()
        thread.join()
        assert ub.channels_axis() == -1
    assert seen == [1]
    assert ub.channels_axis() == 1


def test_the_reference_is_in_the_layout_of_the_layer(backend_name):
    for layout, x in (("channels_first", X), ("channels_last", LAST)):
        net = in_layout(layout, lambda: ub.MySequential(ub.Conv2D(4, 3), ub.Conv2D(2, 1)))
        wanted = reference_output(net, ub.state(net), x)
        np.testing.assert_allclose(run(net, x), wanted, rtol=1e-9, atol=1e-10)


def test_another_name_is_an_error(backend_name):
    with pytest.raises(ValueError, match="layout must be one of channels_first, channels_last"):
        ub.Conv2D(2, 3, layout="NHWC")
    with pytest.raises(ValueError, match="got layout='last'"), ub.use_layout("last"):
        pass
    net = in_layout("channels_first", lambda: ub.MySequential(ub.Conv2D(2, 3)))
    with pytest.raises(ValueError, match="layout must be one of"):
        ub.convert(net, backend_name, layout="NHWC")


def test_channels_elsewhere_are_an_error(backend_name):
    net = in_layout("channels_first", lambda: ub.MySequential(ub.Conv2D(2, 3, in_channels=3)))
    with pytest.raises(
        ub.InputError, match=r"shape \(n, 3, h, w\), in the layout 'channels_first'"
    ):
        run(net, LAST)


def test_compare_of_two_layouts(backend_name):
    first, last = in_layout("channels_first"), in_layout("channels_last")
    assert ub.compare(first, last, X, layouts=("NCHW", "NHWC"), mode="gradient").ok
