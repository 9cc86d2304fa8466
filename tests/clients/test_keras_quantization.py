"""Keras' `quantize` does to a block what it does to the native twin."""

import copy
import pickle

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")

MODES = ("int8", "int4", "float8")
dense = keras.layers.Dense

pytestmark = pytest.mark.filterwarnings(
    "ignore:Layer (InputLayer|ReLU|LogSoftmax) does not have a `quantize` method:UserWarning"
)


@pytest.fixture(autouse=True)
def on_tensorflow():
    with ub.use_backend("tensorflow"):
        yield


def twin():
    return keras.Sequential([dense(5, activation="relu"), dense(3)])


BLOCKS = {
    "MLP": lambda: ub.MLP(5, 3),
    "built at once": lambda: ub.MLP(5, 3, in_units=6),
    "portable": lambda: ub.MLP.on("tensorflow", portable=True)(5, 3),
    "container": lambda: ub.MySequential(ub.Dense(5, activation="relu"), ub.Dense(3)),
    "nested": lambda: ub.MySequential(ub.MySequential(ub.Dense(5), ub.ReLU()), ub.Dense(3)),
    "native inside": lambda: ub.MySequential(dense(5, activation="relu"), ub.Dense(3)),
    "in a native one": lambda: keras.Sequential([ub.Dense(5, activation="relu"), dense(3)]),
}
every_block = pytest.mark.parametrize("make", BLOCKS.values(), ids=BLOCKS)


def quantized(make, mode, x):
    net = make()
    net(x)
    net.set_weights([normal(*w.shape, seed=i) for i, w in enumerate(net.weights)])
    net.quantize(mode)
    return net


@every_block
@pytest.mark.parametrize("mode", MODES)
def test_a_block_gives_what_its_native_twin_gives(make, mode):
    x = normal(4, 6)
    net, expected = quantized(make, mode, x), quantized(twin, mode, x)
    np.testing.assert_array_equal(net(x), expected(x))
    assert {w.dtype for w in net.weights} == {w.dtype for w in expected.weights}
    np.testing.assert_array_equal(tf.function(net)(x), expected(x))


def by_file(net, folder):
    net.save(folder / "net.keras")
    return keras.models.load_model(folder / "net.keras")


def by_checkpoint(net, folder):
    path = tf.train.Checkpoint(net=net).save(str(folder / "checkpoint"))
    net.set_weights([np.zeros_like(w) for w in net.get_weights()])
    tf.train.Checkpoint(net=net).restore(path).assert_consumed()
    return net


AGAIN = {
    ".keras": by_file,
    "deepcopy": lambda net, folder: copy.deepcopy(net),
    "pickle": lambda net, folder: pickle.loads(pickle.dumps(net)),
    "checkpoint": by_checkpoint,
}


COPIES = [(name, "int8") for name in BLOCKS] + [("MLP", "int4"), ("MLP", "float8")]


@pytest.mark.parametrize(("name", "mode"), COPIES)
@pytest.mark.parametrize("again", AGAIN.values(), ids=AGAIN)
def test_a_quantized_block_is_copied_as_it_is(name, mode, again, tmp_path):
    x = normal(4, 6)
    net = quantized(BLOCKS[name], mode, x)
    expected, dtypes = np.asarray(net(x)), [w.dtype for w in net.weights]
    found = again(net, tmp_path)
    np.testing.assert_array_equal(found(x), expected)
    assert [w.dtype for w in found.weights] == dtypes


@pytest.mark.parametrize("built", [False, True])
def test_a_configuration_of_ones_own_is_kept(built, tmp_path):
    config = keras.quantizers.Int8QuantizationConfig(
        weight_quantizer=keras.quantizers.AbsMaxQuantizer(axis=0, value_range=(-7, 7)),
        activation_quantizer=None,
    )
    net = ub.build(ub.MLP(5, 3, in_units=6 if built else None), (4, 6))
    net.quantize(config=config)
    found = by_file(net, tmp_path)
    np.testing.assert_array_equal(found(normal(4, 6)), net(normal(4, 6)))
    for layer in found.layers:
        assert layer.quantization_config.activation_quantizer is None
        assert np.abs(layer.kernel.numpy()).max() == 7


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_an_embedding(mode):
    indices = np.array([[0, 3], [6, 2]])
    net = quantized(lambda: ub.Embedding(7, 4), mode, indices)
    expected = quantized(lambda: keras.layers.Embedding(7, 4), mode, indices)
    np.testing.assert_array_equal(net(indices), expected(indices))
    assert np.isnan(net(np.array([-1, 7]))).all()  # as before: never another row
    with pytest.raises(TypeError, match="must be whole numbers"):
        net(normal(2, 2))


class Doubled(ub.Dense.on("tensorflow")):
    """A layer whose call Keras' quantized call would not run."""

    def call(self, X):
        return 2 * super().call(X)


def test_a_layer_with_a_call_of_its_own_is_left_as_a_native_one_is():
    class Native(dense):
        def call(self, X):
            return 2 * super().call(X)

    for make in (lambda: Doubled(3), lambda: Native(3)):
        net = ub.build(ub.MySequential(make()), (2, 4))
        with pytest.warns(UserWarning, match="does not have a `quantize` method implemented"):
            net.quantize("int8")
        assert {w.dtype for w in net.weights} == {"float32"}


def test_layers_without_numbers_are_left():
    net = ub.build(ub.MySequential(ub.Dense(3), ub.LogSoftmax(), ub.Lambda(ub.ops.relu)), (2, 4))
    with pytest.warns(UserWarning, match="Layer Lambda does not have a `quantize` method"):
        net.quantize("int8")
    assert net.layers[0].dtype_policy.name == "int8_from_float32"


QUESTIONS = {
    "state": ub.state,
    "convert": lambda net: ub.convert(net, "tensorflow"),
    "cast": lambda net: ub.cast(net, "float64"),
    "to_device": lambda net: ub.to_device(net, "cpu"),
    "Trainer": lambda net: ub.Trainer(net, ub.SGD(0.1), "sum"),
    "value_and_grad": lambda net: ub.value_and_grad(net, normal(4, 6), loss="sum"),
}


@pytest.mark.parametrize("name", ["MLP", "container"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_what_has_no_answer_for_a_quantized_block_says_so(name, question):
    net = quantized(BLOCKS[name], "int8", normal(4, 6))
    with pytest.raises(ub.UnsupportedError, match="that Keras has quantized"):
        QUESTIONS[question](net)
