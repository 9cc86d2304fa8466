"""What MXNet itself saves, of networks of its model zoo, and what it loads of what is written here.

By default one network of each family; `UNIFIED_BLOCKS_SOAK=1` takes all 34. Weights are drawn here:
nothing is downloaded.
"""

import filecmp
import inspect
import os
import re
from contextlib import nullcontext

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.formats.mxnet import params as mxnet_params
from unified_blocks.formats.stored import Stored

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, nn, numpy_semantics

vision = mx.gluon.model_zoo.vision
ALL = re.findall(r"'([\w.]+)': \w+", inspect.getsource(vision.get_model))
OF_EACH_FAMILY = [
    *("densenet121", "inceptionv3", "mobilenet0.25", "mobilenetv2_0.25"),
    *("resnet18_v1", "resnet18_v2", "squeezenet1.0", "vgg11_bn", "alexnet"),
]
NAMES = ALL if os.environ.get("UNIFIED_BLOCKS_SOAK") else OF_EACH_FAMILY


def made(name):
    """A network of the zoo after a forward; every array of it is random, statistics too."""
    net = vision.get_model(name, classes=10)
    net.initialize(mx.init.Zero())
    net.hybridize()
    size = 299 if name == "inceptionv3" else 224
    net(mx.nd.zeros((1, 3, size, size))).wait_to_read()
    for parameter in net.collect_params().values():
        parameter.set_data(mx.nd.random.uniform(0.5, 2, parameter.shape))
    return net


def equal_to_mxnet(path, load=mx.nd.load):
    """What was read from `path`, having found it equal to what MXNet reads, bit for bit."""
    file, expected = mxnet_params.read(path), load(str(path))
    assert [stored.stored_name or name for name, stored in file.tensors.items()] == list(expected)
    for (name, array), value in zip(file.items(), expected.values(), strict=True):
        if name not in file.metadata.get("fix_gamma", ()):
            value = value.asnumpy()
            assert (array.dtype, array.shape) == (value.dtype, value.shape), name
            assert np.array_equal(array.view("u4"), value.view("u4")), name
    return file


def test_the_names_are_those_of_the_zoo():
    assert len(ALL) == 34
    assert set(OF_EACH_FAMILY) <= set(ALL)


@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_the_zoo(name, tmp_path):
    net = made(name)
    saved, exported = tmp_path / "saved.params", tmp_path / "net-0000.params"
    net.save_parameters(str(saved))
    file = equal_to_mxnet(saved)
    norms = {key.rpartition(".")[0] for key in file if key.endswith(".running_mean")}
    assert all(f"{norm}.{last}" in file for norm in norms for last in ("weight", "bias"))

    written = tmp_path / "written.params"
    mxnet_params.write(written, file.tensors.values(), {})
    assert filecmp.cmp(saved, written, shallow=False)
    written.unlink()

    net.export(str(tmp_path / "net"))
    of_export = equal_to_mxnet(exported)
    saved_shapes = sorted(stored.shape for stored in file.tensors.values())
    assert sorted(stored.shape for stored in of_export.tensors.values()) == saved_shapes
    roles = {stored.role for stored in of_export.tensors.values()}
    assert roles == ({"parameter", "constant"} if norms else {"parameter"})
    assert not any(re.search("_(weight|bias|gamma|beta)$", key) for key in of_export)
    for path in (saved, exported):  # hundreds of megabytes
        path.unlink()


def small():
    net = nn.HybridSequential()
    net.add(nn.Dense(3, in_units=2), nn.BatchNorm(in_channels=3), nn.LayerNorm(in_channels=3))
    net.initialize(mx.init.Uniform(1))
    return net


def test_a_file_of_numpy_semantics(tmp_path):
    path = tmp_path / "net.params"
    with numpy_semantics():
        small().save_parameters(str(path))
        file = equal_to_mxnet(path, mx.npx.load)
    assert file["1.weight"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype_name", ["float16", "float32", "float64", "uint8", "int8"])
def test_a_file_of_arrays_of_each_dtype(tmp_path, dtype_name):
    path = tmp_path / "list.params"
    arrays = [np.arange(3), np.ones((2, 0)), np.full((1, 1, 1, 2), 3)]
    mx.nd.save(str(path), [mx.nd.array(a, dtype=dtype_name) for a in arrays])
    file = mxnet_params.read(path)
    for ours, theirs in zip(file.values(), mx.nd.load(str(path)), strict=True):
        np.testing.assert_array_equal(ours, theirs.asnumpy(), strict=True)


@pytest.mark.parametrize("semantics", ["legacy", "numpy", "set_np"])
def test_what_is_written_is_loaded_under_any_semantics(tmp_path, semantics):
    source, path = tmp_path / "source.params", tmp_path / "net.params"
    small().save_parameters(str(source))
    expected = mx.nd.load(str(source))
    mxnet_params.write(path, mxnet_params.read(source).tensors.values(), {})
    if semantics == "set_np":
        mx.npx.set_np()
    try:
        with nullcontext() if semantics == "legacy" else numpy_semantics():
            net = small()
            net.load_parameters(str(path))
            loaded = {k: p.data().asnumpy() for k, p in net._collect_params_with_prefix().items()}
    finally:
        mx.npx.reset_np()
    assert loaded.keys() == expected.keys()
    for name, array in loaded.items():
        np.testing.assert_array_equal(array, expected[name].asnumpy(), strict=True)


def test_a_scalar_that_is_written_is_loaded_under_numpy_semantics(tmp_path):
    path = tmp_path / "net.params"
    arrays = {
        "a.scalar": np.array(2, "f4"),
        "a.flags": np.array([True, False]),
        "a.empty": np.ones((0, 2)),
    }
    stored = [Stored(k, a.shape, a.dtype.name, lambda a=a: a) for k, a in arrays.items()]
    mxnet_params.write(path, stored, {})
    with numpy_semantics():
        loaded = {name: a.asnumpy() for name, a in mx.npx.load(str(path)).items()}
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array, strict=True)


def test_the_gamma_of_a_layer_without_scale(tmp_path):
    """It is in the file with another value, which the network does not use."""
    net = nn.HybridSequential()
    net.add(nn.BatchNorm(in_channels=3, scale=False), nn.BatchNorm(in_channels=3))
    net.initialize()
    net.hybridize()
    x = mx.nd.random.normal(shape=(2, 3))
    net(x)
    for layer in net:
        layer.gamma.set_data(mx.nd.array([5, 6, 7]))
    y = net(x).asnumpy()
    net.export(str(tmp_path / "net"))
    (fixed, scaled) = (f"{layer.prefix[:-1]}.weight" for layer in net)
    file = mxnet_params.read(tmp_path / "net-0000.params")
    assert mx.nd.load(str(file.path))[f"arg:{net[0].gamma.name}"].asnumpy().tolist() == [5, 6, 7]
    assert file[fixed].tolist() == [1, 1, 1]
    assert file[scaled].tolist() == [5, 6, 7]
    assert file.metadata == {"fix_gamma": [fixed]}
    net[0].gamma.set_data(mx.nd.array(file[fixed]))
    np.testing.assert_array_equal(net(x).asnumpy(), y)
    (tmp_path / "net-symbol.json").unlink()
    assert mxnet_params.read(file.path)[fixed].tolist() == [5, 6, 7]
