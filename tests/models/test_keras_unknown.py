"""Models with layers of Keras' own of kinds unknown here: all else works, and they are named."""

import warnings

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

keras = pytest.importorskip("keras", exc_type=(ImportError, AttributeError))
tf = pytest.importorskip("tensorflow")
L = keras.layers


@pytest.fixture(autouse=True)
def of_keras(backend_name):
    if backend_name != "tensorflow":
        pytest.skip("only Keras names variables in its own way")


class WithGRU(keras.Model):
    def __init__(self):
        super().__init__()
        self.gru, self.fc = L.GRU(3, reset_after=False), L.Dense(2)

    def call(self, X):
        return self.fc(self.gru(X))


SEQUENCE = normal(2, 5, 4)
OTHER = "of a GRUCell with reset_after=False, which no other framework computes"
LEFT_OUT = rf"gru\.cell\.kernel {OTHER}, gru\.cell\.recurrent_kernel {OTHER}"


def with_gru(seed=0):
    keras.utils.set_random_seed(seed)
    return ub.build(WithGRU(), SEQUENCE.shape)


@pytest.mark.parametrize(
    ("name", "question"),
    [
        ("state", lambda net, **how: ub.state(net, **how)),
        (
            "load_state",
            lambda net, **how: ub.load_state(
                net, {"fc.weight": normal(2, 3), "fc.bias": normal(2)}, **how
            ),
        ),
        ("transfer", lambda net, **how: ub.transfer(net, with_gru(1), **how)),
        ("transfer", lambda net, **how: ub.transfer(with_gru(1), net, **how)),
        ("diff_state", lambda net, **how: ub.diff_state(net, {}, **how)),
        ("value_and_grad", lambda net, **how: ub.value_and_grad(net, SEQUENCE, loss="sum", **how)),
    ],
)
def test_a_layer_of_an_unknown_kind_is_an_error_unless_it_may_be_left_out(name, question):
    net = with_gru()
    gru = [w.numpy() for w in net.gru.weights]
    with pytest.raises(ub.UnsupportedError, match=rf"{name}: each .* got {LEFT_OUT}.*ub\.{name}\("):
        question(net)
    with pytest.warns(UserWarning, match=rf"{name}: left out of WithGRU: {LEFT_OUT}") as warned:
        question(net, strict=False)
    assert {each.filename for each in warned} == {__file__}
    for before, after in zip(gru, net.gru.weights, strict=True):
        np.testing.assert_array_equal(after, before)


def test_the_rest_of_a_model_goes_through_a_state_and_back():
    source, target = with_gru(), with_gru(1)
    with pytest.warns(UserWarning, match="left out"):
        state = ub.state(source, strict=False)
    assert list(state) == ["fc.weight", "fc.bias"]
    with pytest.warns(UserWarning, match="left out"):
        ub.load_state(target, state, strict=False)
    np.testing.assert_array_equal(target.fc.kernel, source.fc.kernel)
    with pytest.warns(UserWarning, match="left out"):
        _, gradients = ub.value_and_grad(source, SEQUENCE, loss="sum", strict=False)
    assert list(gradients) == ["fc.weight", "fc.bias"]
    _, inputs = ub.value_and_grad(source, SEQUENCE, loss="sum", wrt="inputs")
    assert (list(inputs), inputs["x"].shape) == (["x"], SEQUENCE.shape)


@pytest.mark.parametrize("mode", ["forward", "train", "gradient", "training", "compiled"])
def test_a_comparison_names_what_it_leaves_out(mode):
    a, b = with_gru(), with_gru()
    before = [w.numpy() for w in a.weights]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = ub.compare(a, b, SEQUENCE, mode=mode)
    assert found.ok, found
    notes = [note for note in found.notes if "not compared of WithGRU on TensorFlow: gru." in note]
    assert len(notes) == 2
    for old, new in zip(before, a.weights, strict=True):
        np.testing.assert_array_equal(new, old)
    b.gru.cell.kernel.assign(b.gru.cell.kernel * 2)
    assert not ub.compare(a, b, SEQUENCE, mode=mode).ok


def test_such_a_model_trains_and_moves():
    net = with_gru()
    twin = with_gru()
    x, y = SEQUENCE, normal(2, 2)
    trainer = ub.Trainer(net, ub.SGD(0.125), "mse")
    optimizer = keras.optimizers.SGD(0.125)
    for _ in range(3):
        trainer.step(x, y)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(twin(x, training=True) - y))
        optimizer.apply(tape.gradient(loss, twin.trainable_variables), twin.trainable_variables)
    for w, v in zip(net.weights, twin.weights, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-5, atol=1e-6)
    with pytest.raises(ub.UnsupportedError, match=rf"Trainer: .* got {LEFT_OUT}"):
        ub.state(trainer)
    layered = keras.Sequential([L.GRU(3, reset_after=False), L.Dense(2)])
    layered(x)
    moved = ub.to_device(layered, "cpu")
    np.testing.assert_array_equal(moved(x), layered(x))


def test_a_variable_of_an_unknown_layer_that_a_known_one_holds_too_has_its_name():
    net = keras.Sequential([L.SpectralNormalization(L.Dense(3))])
    net(normal(2, 4))
    with pytest.raises(ub.UnsupportedError, match=r"0\.vector_u of a SpectralNormalization of"):
        ub.state(net)
    with pytest.warns(UserWarning, match="vector_u"):
        assert sorted(ub.state(net, strict=False)) == ["0.layer.bias", "0.layer.weight"]
