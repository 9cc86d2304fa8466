"""Names of the time of Modules, with slashes and spaces, go wherever numbers go."""

import numpy as np
import pytest
from typer.testing import CliRunner

import unified_blocks as ub
from testbed.common import normal
from testbed.params_files import array, numbers, params
from unified_blocks.cli.files import app
from unified_blocks.errors import UnsupportedError

ARRAYS = {
    "arg:stage1/conv_weight": numbers(4, 3, 2, 2),
    "arg:stage1/conv_bias": numbers(4),
    "arg:stage1/unit 1/norm_gamma": 2 * numbers(4),
    "arg:stage1/unit 1/norm_beta": 3 * numbers(4),
    "aux:stage1/unit 1/norm_moving_mean": 4 * numbers(4),
    "aux:stage1/unit 1/norm_moving_var": 5 * numbers(4),
    "arg:my fc_weight": numbers(2, 36),
    "arg:my fc_bias": numbers(2),
}
LAYERS = ("stage1/conv", "stage1/unit 1/norm", "my fc")
NAMES = [
    *("stage1/conv.weight", "stage1/conv.bias"),
    *(f"stage1/unit 1/norm.{last}" for last in ("weight", "bias", "running_mean", "running_var")),
    *("my fc.weight", "my fc.bias"),
]


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.params"
    path.write_bytes(params(*map(array, ARRAYS.values()), names=list(ARRAYS)))
    return path


def same(state):
    for name, values in zip(NAMES, ARRAYS.values(), strict=True):
        np.testing.assert_array_equal(state[name], values, strict=True)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".params"])
def test_they_come_through_each_file_and_back(tmp_path, path, suffix):
    file = ub.read_state(path)
    assert list(file) == NAMES
    ub.write_state(file, tmp_path / f"other{suffix}")
    other = ub.read_state(tmp_path / f"other{suffix}")
    assert list(other) == NAMES
    ub.write_state(other, tmp_path / "again.params")
    same(ub.read_state(tmp_path / "again.params"))


def convert(*arguments):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def test_a_slash_is_no_name_in_a_file_of_keras(tmp_path, path):
    """There it is between the names of a path."""
    pytest.importorskip("h5py", reason="files of Keras are written with h5py")
    target = tmp_path / "net.weights.h5"
    message = r"none with a slash .*; got 'stage1/conv': rename it"
    with pytest.raises(UnsupportedError, match=message):
        ub.write_state(ub.read_state(path), target)
    assert not target.exists()
    renames = [word for name in LAYERS[:2] for word in ("--rename", f"{name}={dotted(name)}")]
    done = convert(path, target, *renames)
    assert done.exit_code == 0, done.output
    file = ub.read_state(target)
    assert {
        name.replace(".unit 1.", "/unit 1/").replace("stage1.", "stage1/") for name in file
    } == (set(NAMES))
    np.testing.assert_array_equal(file["my fc.weight"], ARRAYS["arg:my fc_weight"])


def dotted(name):
    return name.replace("/", ".")


def network(backend_name):
    """A native network of such layers, under names that its framework allows."""
    if backend_name == "torch":
        from torch import nn

        net = nn.Sequential()
        layers = (nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Linear(36, 2))
        for name, layer in zip(LAYERS, layers, strict=True):
            if name == LAYERS[-1]:
                net.append(nn.Flatten())
            net.add_module(name, layer)
        return net.eval(), {}
    if backend_name == "tensorflow":
        from keras import Sequential, layers

        names = {name: name.replace("/", "_") for name in LAYERS}  # Keras allows no slash
        first, second, third = names.values()
        made = [
            *(layers.Input((4, 4, 3)), layers.Conv2D(4, 2, name=first)),
            layers.BatchNormalization(epsilon=1e-5, name=second),
            *(layers.Permute((3, 1, 2)), layers.Flatten(), layers.Dense(2, name=third)),
        ]
        places = {name: str(i) for i, name in zip((0, 1, 4), LAYERS, strict=True)}
        return Sequential(made), places
    from unified_blocks_mxnet.compat import nn

    net = nn.HybridSequential()
    net.add(nn.Conv2D(4, 2, in_channels=3), nn.BatchNorm(in_channels=4), nn.Dense(2, in_units=36))
    net.initialize()
    return net, {name: str(i) for i, name in enumerate(LAYERS)}


def expected(x):
    """What the network computes, with NumPy."""
    weight, bias, gamma, beta, mean, variance, out, shift = (
        each.astype("float64") for each in ARRAYS.values()
    )
    windows = np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(2, 3))
    y = np.einsum("nchwij,ocij->nohw", windows, weight) + bias[:, None, None]
    wide = (slice(None), None, None)
    y = (y - mean[wide]) / np.sqrt(variance[wide] + 1e-5) * gamma[wide] + beta[wide]
    return y.reshape(len(x), -1) @ out.T + shift


@pytest.mark.parametrize("match", ["name", "order"])
def test_they_go_to_a_network_of_each_framework(path, backend_name, match):
    net, rename = network(backend_name)
    options = {"rename": rename} if match == "name" else {"match": "order"}
    file = ub.read_state(path)
    if match == "order":  # a Module keeps none; the file that was written again does
        ub.write_state({name: file[name] for name in file}, path)
        file = ub.read_state(path)
    ub.transfer(file, net, **options)
    x = normal(2, 3, 4, 4).astype("float32")
    given = np.moveaxis(x, 1, -1) if backend_name == "tensorflow" else x
    given = ub.from_numpy(given, backend_name)
    if backend_name == "mxnet":
        given = given.as_nd_ndarray()
    found = ub.to_numpy(net(given))
    np.testing.assert_allclose(found, expected(x.astype("float64")), rtol=1e-4)
