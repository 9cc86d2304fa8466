"""Keras' recurrent layers in its files: read, written, and what is refused."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.keras_files import some, stored
from testbed.recurrent import evaluated
from unified_blocks.errors import FileFormatError, UnsupportedError
from unified_blocks.formats.keras import weights as keras_h5

pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")
L = keras.layers

LAYERS = {
    "LSTM": lambda **how: L.LSTM(3, **how),
    "GRU": lambda **how: L.GRU(3, **how),
    "SimpleRNN": lambda **how: L.SimpleRNN(3, **how),
    "both ways": lambda **how: L.Bidirectional(L.LSTM(3, **how)),
    "GRU both ways": lambda **how: L.Bidirectional(L.GRU(3, **how)),
}
every = pytest.mark.parametrize("name", LAYERS)
X = np.random.default_rng(0).normal(size=(2, 5, 4)).astype("float32")


def sequential(name, **how):
    return drawn(keras.Sequential([L.Input((5, 4)), LAYERS[name](**how), L.Dense(2)]))


def drawn(net):
    generator = np.random.default_rng(1)
    net.set_weights([generator.normal(size=w.shape) for w in net.weights])
    return net


class Own(keras.Model):
    """A model whose layer is called by its author."""

    def __init__(self, name):
        super().__init__()
        self.encoder = LAYERS[name]()

    def call(self, X):
        return self.encoder(X)


@every
@pytest.mark.parametrize("use_bias", [True, False])
def test_a_keras_file_holds_what_the_model_does(tmp_path, name, use_bias):
    net = sequential(name, use_bias=use_bias)
    net.save(tmp_path / "net.keras")
    file = ub.read_state(tmp_path / "net.keras")
    assert file.ordered
    again = ub.transfer(file, sequential(name, use_bias=use_bias), match="order")
    np.testing.assert_array_equal(evaluated(again, X), evaluated(net, X))
    by_name = ub.transfer(file, sequential(name, use_bias=use_bias))
    np.testing.assert_array_equal(evaluated(by_name, X), evaluated(net, X))


@every
def test_a_file_of_weights_comes_back(tmp_path, name):
    first, second = tmp_path / "first.weights.h5", tmp_path / "second.weights.h5"
    net = sequential(name)
    net.save_weights(first)
    file = ub.read_state(first)
    ub.write_state(file, second)
    again = keras.Sequential([L.Input((5, 4)), LAYERS[name](), L.Dense(2)])
    again.load_weights(second)
    np.testing.assert_array_equal(evaluated(again, X), evaluated(net, X))
    written = ub.read_state(second)
    assert ub.diff_state(written, file).equal
    assert {s.kind for s in written.tensors.values()} == {s.kind for s in file.tensors.values()}


@every
@pytest.mark.filterwarnings("ignore:.build... was called on layer")
def test_a_state_becomes_a_file_that_keras_loads(tmp_path, name):
    path, net = tmp_path / "net.weights.h5", Own(name)
    net(X)
    ub.write_state(drawn(net), path)
    assert ub.diff_state(ub.read_state(path), net).equal
    again = Own(name)
    again(X)
    again.load_weights(path)
    np.testing.assert_array_equal(evaluated(again, X), evaluated(net, X))


@pytest.mark.filterwarnings("ignore:.build... was called on layer")
def test_a_layer_of_ours_becomes_one_of_keras(tmp_path):
    with ub.use_backend("tensorflow"):
        ours = ub.initialize(ub.build(ub.GRU(3), X.shape), 3, "torch_default")
    path, net = tmp_path / "net.weights.h5", Own("GRU")
    state = {f"encoder.{name}": array for name, array in ub.state(ours).items()}
    ub.write_state(state, path, kinds={"encoder": "GRU"})
    net(X)
    net.load_weights(path)
    last = evaluated(ours, X)[0][:, -1]
    np.testing.assert_allclose(evaluated(net, X)[0], last, rtol=1e-5, atol=1e-6)


def test_several_layers_are_not_one_in_keras(tmp_path):
    path = tmp_path / "net.weights.h5"
    arrays = [
        stored("rnn.weight_ih_l0", some(12, 4), "LSTM"),
        stored("rnn.weight_hh_l0", some(12, 3), "LSTM"),
        stored("rnn.weight_ih_l1", some(12, 3), "LSTM"),
        stored("rnn.weight_hh_l1", some(12, 3), "LSTM"),
    ]
    with pytest.raises(
        UnsupportedError, match=r"one layer, in one direction or in both; got 'rnn'"
    ):
        keras_h5.write(path, arrays, {})
    assert not path.exists()
    assert "rnn" in keras_h5.unwritable(arrays)


@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"reset_after": False}, "reset_after=False, which no other framework computes"),
        ({"use_bias": False}, "nothing tells whether it has reset_after=True"),
    ],
)
def test_a_gru_that_may_be_another_function(tmp_path, ending, how, message):
    net, path = keras.Sequential([L.Input((5, 4)), L.GRU(3, **how)]), tmp_path / f"net{ending}"
    (net.save if ending == ".keras" else net.save_weights)(path)
    if ending == ".keras" and "use_bias" in how:  # there it is told
        assert len(ub.read_state(path)) == 2
        return
    with pytest.raises(FileFormatError, match=message):
        ub.read_state(path)


def test_a_layer_that_its_author_has_named(tmp_path):
    """The name tells no kind; the caller does."""
    net = keras.Sequential([L.Input((5, 4)), L.LSTM(3, name="encoder")])
    net.save_weights(tmp_path / "net.weights.h5")
    file = ub.read_state(tmp_path / "net.weights.h5", kinds={"layers/lstm": "LSTM"})
    twin = keras.Sequential([L.Input((5, 4)), L.LSTM(3, name="encoder")])
    ub.transfer(file, twin, rename={"layers.lstm": "0"})
    np.testing.assert_array_equal(evaluated(twin, X), evaluated(net, X))
