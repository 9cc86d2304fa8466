"""Copies, pickles and Keras files, in this process and in a fresh one with another default."""

import copy
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal, run
from testbed.nets import NETS
from testbed.where import TESTBED

X = normal(3, 6)


def make(name, built):
    net = NETS[name]()
    return ub.build(net, X.shape) if built else net


def equal(copied, net):
    """Whether two built nets hold and compute the same."""
    first, second = ub.state(copied), ub.state(net)
    assert list(first) == list(second)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    np.testing.assert_array_equal(run(copied, X), run(net, X))
    _, gradients = ub.value_and_grad(copied, X, loss="sum")
    for name, gradient in ub.value_and_grad(net, X, loss="sum")[1].items():
        np.testing.assert_array_equal(gradients[name], gradient)


def same_shapes(copied, net):
    shapes = {name: array.shape for name, array in ub.state(ub.build(net, X.shape)).items()}
    ub.build(copied, X.shape)
    assert {name: array.shape for name, array in ub.state(copied).items()} == shapes


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("built", [True, False])
def test_a_copy_is_the_same_and_independent(backend_name, how, name, built):
    net = make(name, built)
    copied = copy.deepcopy(net) if how == "deepcopy" else pickle.loads(pickle.dumps(net))
    assert type(copied) is type(net)
    if not built:
        same_shapes(copied, net)
        return
    equal(copied, net)
    before = ub.state(net)
    ub.initialize(copied, 7)
    for key, array in ub.state(net).items():
        np.testing.assert_array_equal(array, before[key])


@pytest.mark.parametrize("built", [True, False])
def test_a_pickle_opens_in_a_fresh_process_with_another_default(backend_name, tmp_path, built):
    for name in NETS:
        net = make(name, built)
        expected = run(net, X) if built else None
        (tmp_path / f"{name}.pickle").write_bytes(pickle.dumps((net, expected)))
    fresh(backend_name, tmp_path, "pickle")


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.capability("keras-files")
def test_a_keras_file_opens_in_a_fresh_process_with_another_default(backend_name, tmp_path, built):
    import keras

    for name in NETS:
        net = make(name, built)
        if not isinstance(net, keras.Model):
            continue
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="You are saving a model that has not yet")
            net.save(tmp_path / f"{name}.keras")
        loaded = keras.models.load_model(tmp_path / f"{name}.keras")
        assert (type(loaded), loaded.name) == (type(net), net.name)
        if built:
            equal(loaded, net)
            np.save(tmp_path / f"{name}.npy", run(net, X))
        else:
            same_shapes(loaded, net)
    fresh(backend_name, tmp_path, "keras")


@pytest.mark.capability("keras-files")
def test_a_keras_model_whose_weights_were_loaded_before_any_call(backend_name, tmp_path):
    import keras

    net = ub.load_state(ub.MLP(5, 3), ub.state(ub.build(ub.MLP(5, 3), X.shape)))
    # pytest.warns would raise Keras' other warnings, which pyproject.toml names by their module.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        net.save(tmp_path / "net.keras")
    assert any("not yet been built" in str(w.message) for w in caught)  # by Keras' own account
    equal(keras.models.load_model(tmp_path / "net.keras"), net)


def test_a_shared_layer_stays_shared(backend_name):
    net = make("shared", built=True)
    for copied in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert copied[0] is copied[1] is copied[2][0]
        assert copied[0] is not net[0]


def test_a_framework_s_own_saving_works(backend_name, tmp_path):
    net, other = make("mlp", built=True), make("mlp", built=True)
    if backend_name == "torch":
        other.load_state_dict(net.state_dict())
    elif backend_name == "tensorflow":
        net.save_weights(tmp_path / "net.weights.h5")
        other.load_weights(tmp_path / "net.weights.h5")
    else:
        net.save_parameters(str(tmp_path / "net.params"))
        other.load_parameters(str(tmp_path / "net.params"))
    equal(other, net)


def fresh(backend_name, folder, kind):
    """Open every file of `folder` in a new process whose default backend is another one."""
    other = next((n for n in ub.available_backends() if n != backend_name), backend_name)
    environment = {**os.environ, "UNIFIED_BLOCKS_BACKEND": other}
    command = [sys.executable, "-W", "ignore", TESTBED / "reopen.py", backend_name, folder, kind]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split()[-1] == str(len(list(folder.glob(f"*.{kind}"))))


def freeze(net):
    """Freeze one layer inside a block inside the container."""
    layer = net[0].hidden
    if hasattr(layer, "trainable"):
        layer.trainable = False
    elif hasattr(layer, "requires_grad_"):
        layer.requires_grad_(False)
    else:
        layer.weight.grad_req = layer.bias.grad_req = "null"


@pytest.mark.parametrize("how", ["deepcopy", "pickle", "to_device", "cast"])
def test_a_frozen_layer_stays_frozen(backend_name, how):
    net = make("nested", built=True)
    freeze(net)
    frozen = [v.name for v in ub.backend_of(net).variables(net) if not v.trainable]
    assert frozen == ["0.hidden.weight", "0.hidden.bias", "2.rand_weight"]
    copied = {
        "deepcopy": lambda: copy.deepcopy(net),
        "pickle": lambda: pickle.loads(pickle.dumps(net)),
        "to_device": lambda: ub.to_device(net, "cpu"),
        "cast": lambda: ub.cast(net, "float64"),
    }[how]()
    assert [v.name for v in ub.backend_of(copied).variables(copied) if not v.trainable] == frozen
    assert [v.name for v in ub.backend_of(copied).variables(copied) if v.role == "constant"] == [
        "2.rand_weight"
    ]


@pytest.mark.parametrize("how", ["deepcopy", "pickle"])
def test_a_copy_can_be_compiled(backend_name, how):
    net = make("nested", built=True)
    copied = copy.deepcopy(net) if how == "deepcopy" else pickle.loads(pickle.dumps(net))
    x = ub.from_numpy(X, backend_name)
    with ub.backend_of(copied).inferring(copied):
        found = ub.to_numpy(ub.compile(copied, mode="native")(x))
    np.testing.assert_allclose(found, run(net, X), rtol=1e-5)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("built", [True, False])
def test_repr_is_the_frameworks_own_and_names_the_block(backend_name, name, built):
    net = make(name, built)
    shown = repr(net)
    assert type(net).__name__ in shown
    if backend_name == "tensorflow":
        assert f"built={built}" in shown or not hasattr(net, "layers")
    else:
        assert shown == repr(copy.deepcopy(net))
