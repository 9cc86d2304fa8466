"""Keras' mixed policies: a block computes in half and keeps its parameters in float32."""

import copy
import pickle

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.gallery import GALLERY
from testbed.portable import Residual
from unified_blocks.equivalence.matrix.cases import CASES

tf = pytest.importorskip("tensorflow", reason="tensorflow is not installed")
keras = pytest.importorskip("keras", reason="tensorflow is not installed")

POLICIES = ("mixed_bfloat16", "mixed_float16")
ULP = {"bfloat16": 2**-7, "float16": 2**-10}
layers = keras.layers


@pytest.fixture(autouse=True)
def on_tensorflow():
    with ub.use_backend("tensorflow"):
        yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture(params=POLICIES)
def policy(request):
    return request.param


def half(policy):
    return policy.removeprefix("mixed_")


WAYS = {
    "global": lambda policy, make: (keras.mixed_precision.set_global_policy(policy), make())[1],
    "use_dtype": lambda policy, make: ub.use_dtype(policy)(make)(),
}
"""How a policy gets to a block, besides `dtype=`."""

BLOCKS = {case.name: (case.make, case.input_shape) for case in CASES}
BLOCKS |= {e.block: ((lambda e=e: e.make("tensorflow")), e.shape) for e in GALLERY}
BLOCKS |= {
    name: (getattr(ub, name), (4, 6))
    for name in (
        *("ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Sigmoid", "HardSigmoid", "Tanh"),
        *("Softplus", "Softsign", "Softmax", "LogSoftmax", "LayerNorm", "BatchNorm", "Flatten"),
    )
}
BLOCKS |= {
    "Dense": (lambda: ub.Dense(3), (4, 6)),
    "Dropout": (lambda: ub.Dropout(0.5), (4, 6)),
    "Activation": (lambda: ub.Activation("silu"), (4, 6)),
    "Parallel": (lambda: ub.Parallel(ub.Dense(3), ub.ReLU()), (4, 6)),
    "Lambda": (lambda: ub.Lambda(ub.ops.tanh), (4, 6)),
    "a constant": (lambda: Residual(6), (4, 6)),
    "portable MLP": (lambda: ub.MLP.on("tensorflow", portable=True)(5, 3), (4, 6)),
    "in a native one": (lambda: keras.Sequential([ub.MLP(5, 3), layers.Dense(2)]), (4, 6)),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("make", "shape"), BLOCKS.values(), ids=BLOCKS)
def test_every_block_computes_in_half(policy, way, make, shape):
    if way == "use_dtype" and make is BLOCKS["in a native one"][0]:
        pytest.skip("a native model asks Keras")
    net, x = WAYS[way](policy, make), normal(*shape)
    assert net(x).dtype == half(policy)
    assert tf.function(net)(x).dtype == half(policy)
    assert {w.dtype for w in net.weights} <= {"float32"}
    assert {array.dtype.name for array in ub.state(net).values()} <= {"float32"}


@pytest.mark.parametrize("make", [ub.MLP, ub.NestMLP, ub.FixedHiddenMLP])
@pytest.mark.parametrize("as_object", [False, True])
def test_a_policy_as_the_dtype_of_a_block(policy, make, as_object):
    net = make(dtype=keras.DTypePolicy(policy) if as_object else policy)
    assert net(normal(2, 20)).dtype == half(policy)
    assert {w.dtype for w in net.weights} == {"float32"}


TWINS = {
    "Dense": (lambda: ub.Dense(4), lambda: layers.Dense(4)),
    "gelu": (lambda: ub.Dense(4, activation="gelu"), lambda: layers.Dense(4, activation="gelu")),
    "Embedding": (lambda: ub.Embedding(7, 3), lambda: layers.Embedding(7, 3)),
    "LayerNorm": (ub.LayerNorm, lambda: layers.LayerNormalization(epsilon=1e-5)),
    "BatchNorm": (
        ub.BatchNorm,
        lambda: layers.BatchNormalization(axis=1, epsilon=1e-5, momentum=0.9),
    ),
    "ReLU": (ub.ReLU, layers.ReLU),
    "Softmax": (ub.Softmax, layers.Softmax),
    "Flatten": (ub.Flatten, layers.Flatten),
    "Dropout": (lambda: ub.Dropout(0.5), lambda: layers.Dropout(0.5)),
    "MySequential": (
        lambda: ub.MySequential(ub.Dense(4, activation="relu"), ub.LayerNorm(), ub.Dense(2)),
        lambda: keras.Sequential(
            [
                layers.Dense(4, activation="relu"),
                layers.LayerNormalization(epsilon=1e-5),
                layers.Dense(2),
            ]
        ),
    ),
}


def pair(policy, name):
    """A block and its native twin with the same numbers, and an input."""
    keras.mixed_precision.set_global_policy(policy)
    net, twin = (make() for make in TWINS[name])
    x = np.arange(6).reshape(2, 3) if name == "Embedding" else normal(5, 6)
    net(x), twin(x)
    if net.weights:
        net.set_weights([normal(*w.shape, seed=3) for w in net.weights])
        twin.set_weights(net.get_weights())
    return net, twin, x


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("training", [False, True])
def test_a_layer_gives_what_its_native_twin_gives(policy, name, training):
    if training and name == "Dropout":
        pytest.skip("random")
    net, twin, x = pair(policy, name)
    found, expected = net(x, training=training), twin(x, training=training)
    assert found.dtype == expected.dtype == half(policy)
    np.testing.assert_allclose(
        np.float32(found), np.float32(expected), rtol=ULP[half(policy)], atol=ULP[half(policy)]
    )


def test_fit_scales_the_loss_as_for_a_native_model(policy):
    net, twin, x = pair(policy, "MySequential")
    for model in (net, twin):
        model.compile(keras.optimizers.SGD(0.125), "mse")
        model.fit(x, normal(5, 2, seed=4), batch_size=5, epochs=3, verbose=0)
        scaled = isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
        assert scaled == (policy == "mixed_float16")
    for ours, theirs in zip(net.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_the_gradient_of_a_float32_loss():
    net, _, x = pair("mixed_bfloat16", "MySequential")
    wide = ub.cast(net, "float32")
    y = normal(5, 2)
    value, gradients = ub.value_and_grad(net, x, y, loss="mse", wrt="both")
    expected, of_wide = ub.value_and_grad(wide, x, y, loss="mse", wrt="both")
    assert 0 < abs(value - expected) < 0.05 * expected  # in half, and nearly the same
    for name, gradient in gradients.items():
        assert gradient.dtype == "float32"
        scale = np.abs(of_wide[name]).max()
        np.testing.assert_allclose(gradient, of_wide[name], atol=0.05 * scale)


def test_a_trainer_takes_steps_in_bfloat16():
    net, _, x = pair("mixed_bfloat16", "MySequential")
    wide, y = ub.cast(net, "float32"), normal(5, 2)
    losses, expected = (
        [float(trainer.step(x, y)) for _ in range(20)]
        for trainer in [ub.Trainer(each, ub.SGD(2**-7), "mse") for each in (net, wide)]
    )
    assert losses[-1] < losses[0]
    assert losses != expected
    np.testing.assert_allclose(losses, expected, rtol=0.05)
    assert {w.dtype for w in net.weights} == {"float32"}


def test_a_trainer_scales_a_loss_when_it_is_told_so():
    """It takes the steps that Keras' own loop takes, with Keras' own scaling."""
    net, twin, x = pair("mixed_float16", "MySequential")
    with pytest.raises(ub.UnsupportedError, match="must be trained with a scaled loss"):
        ub.Trainer(net, ub.SGD(0.125), "mse")
    twin.compile(keras.optimizers.SGD(0.125), "mse")
    y = normal(5, 2, seed=4)
    history = twin.fit(x, y, batch_size=5, epochs=3, verbose=0)
    trainer = ub.Trainer(net, ub.SGD(0.125), "mse", precision="float16")
    losses = [float(trainer.step(x, y)) for _ in range(3)]
    np.testing.assert_allclose(losses, history.history["loss"], rtol=1e-3)
    for ours, theirs in zip(net.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("inner", ["float32", "float64", "bfloat16"])
def test_what_is_said_to_this_library_wins(policy, inner):
    keras.mixed_precision.set_global_policy(policy)
    x = tf.cast(normal(2, 20), inner)
    with ub.use_dtype(inner):
        nets = [ub.MySequential(ub.Dense(4), ub.ReLU(), ub.BatchNorm()), ub.NestMLP(), Residual(20)]
    for net in [*nets, ub.MLP(dtype=inner), ub.NestMLP(dtype=inner)]:
        assert net(x).dtype == inner
        assert {w.dtype for w in net.weights} == {inner}


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_a_policy_of_keras_that_is_not_mixed(dtype):
    keras.config.set_dtype_policy(dtype)
    net = ub.MySequential(ub.Dense(4), ub.ReLU())
    assert net(normal(2, 3)).dtype == dtype
    assert {w.dtype for w in net.weights} == {dtype}


def test_a_policy_that_no_block_can_be_made_with():
    keras.config.set_dtype_policy("int8_from_float32")
    for make in (ub.MLP, ub.ReLU, lambda: Residual(3)):
        with pytest.raises(ub.UnsupportedError, match="got 'int8_from_float32'"):
            make()
    with pytest.raises(ValueError, match="dtype must be one of"):
        ub.MLP(dtype="int8_from_float32")


def by_keras_file(net, folder):
    net.save(folder / "net.keras")
    return keras.models.load_model(folder / "net.keras")


def by_our_file(net, folder):
    ub.save(net, folder / "net.safetensors")
    return ub.load(folder / "net.safetensors", backend="tensorflow")


def by_clone(net, folder):
    inputs = keras.Input((20,))
    model = keras.models.clone_model(keras.Model(inputs, net(inputs)))
    model.set_weights(net.get_weights())
    return model


AGAIN = {
    "deepcopy": lambda net, folder: copy.deepcopy(net),
    "pickle": lambda net, folder: pickle.loads(pickle.dumps(net)),
    ".keras": by_keras_file,
    "ub.save": by_our_file,
    "convert": lambda net, folder: ub.convert(net, "tensorflow"),
    "to_device": lambda net, folder: ub.to_device(net, "cpu"),
    "clone_model": by_clone,
}


@pytest.mark.parametrize("again", AGAIN)
@pytest.mark.parametrize("way", [*WAYS, "dtype"])
@pytest.mark.parametrize("block", [ub.MLP, ub.FixedHiddenMLP, ub.NestMLP])
def test_the_policy_stays_with_the_block(policy, again, way, block, tmp_path):
    def made():
        return block(dtype=policy) if way == "dtype" else block()

    net, x = WAYS.get(way, lambda policy, make: make())(policy, made), normal(2, 20)
    expected = net(x)
    keras.mixed_precision.set_global_policy("float32")
    found = AGAIN[again](net, tmp_path)
    assert found(x).dtype == half(policy)
    np.testing.assert_array_equal(np.float32(found(x)), np.float32(expected))
    assert {w.dtype for w in found.weights} == {"float32"}


def test_casting_to_and_from_a_policy(policy):
    net, x = ub.build(ub.MySequential(ub.Dense(4), ub.ReLU(), Residual(4)), (2, 3)), normal(2, 3)
    mixed = ub.cast(net, policy)
    assert mixed(x).dtype == half(policy)
    assert {w.dtype for w in mixed.weights} == {"float32"}
    back = ub.cast(mixed, "float32")
    np.testing.assert_array_equal(back(x), net(x))
