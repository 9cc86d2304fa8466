"""What the suite holds readers of files to: no numbers are exchanged, where nothing shows it."""

import json
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import unified_blocks as ub
from testbed.common import normal
from testbed.params_files import array, params, some_rows
from unified_blocks.files.parts import renamed

CHAIN = ("first", "second", "third")
DRAWN = {f"{name}_weight": normal(6, 6, seed=i) for i, name in enumerate(CHAIN)}


def module_file(folder, with_graph):
    """Layers of one width, whose arrays a Module saved in another order than that of the graph."""
    names = sorted(DRAWN, reverse=True)
    path = folder / "net-0000.params"
    path.write_bytes(params(*(array(DRAWN[n]) for n in names), names=[f"arg:{n}" for n in names]))
    if with_graph:
        nodes = [{"op": "null", "name": name, "inputs": []} for name in DRAWN]
        (folder / "net-symbol.json").write_text(json.dumps({"nodes": nodes}))
    return ub.read_state(path)


def chain():
    layers = [ub.Dense(6, use_bias=False) for _ in CHAIN]
    return ub.build(ub.MySequential(*layers), (2, 6))


def numbers_of(net):
    return [ub.state(net)[f"{i}.weight"] for i in range(len(CHAIN))]


def a_module_follows_its_graph(backend_name):
    with tempfile.TemporaryDirectory() as folder:
        net = ub.transfer(module_file(Path(folder), True), chain(), match="order")
    for found, wanted in zip(numbers_of(net), DRAWN.values(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def a_module_without_a_graph_has_no_order(backend_name):
    with tempfile.TemporaryDirectory() as folder:
        assert not module_file(Path(folder), False).ordered


def a_file_without_order_is_none(backend_name):
    """As Python before 3.7 saved a dict: the tenth layer before the second."""
    names = ["10.weight", "2.weight", "3.weight"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.params"
        path.write_bytes(params(*map(array, DRAWN.values()), names=names))
        assert not ub.read_state(path).ordered


def a_keras_file_follows_its_configuration(backend_name):
    h5py = pytest.importorskip("h5py", reason="h5py is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = ("dense_2", "dense", "dense_1")  # in the file these are in alphabetical order
        layers = []
        with h5py.File(folder / "inner.h5", "w") as file:
            for place, (layer, values) in zip(places, DRAWN.items(), strict=True):
                group = file.create_group(f"layers/{place}/vars")
                group.attrs["name"], group["0"] = layer, values.T
                told = {"name": layer, "use_bias": False}
                layers.append({"module": "keras.layers", "class_name": "Dense", "config": told})
        whole = {"module": "keras", "class_name": "Sequential", "config": {"layers": layers}}
        with zipfile.ZipFile(folder / "net.keras", "w") as archive:
            archive.writestr("config.json", json.dumps(whole))
            archive.writestr("model.weights.h5", (folder / "inner.h5").read_bytes())
        net = ub.transfer(ub.read_state(folder / "net.keras"), chain(), match="order")
    for found, wanted in zip(numbers_of(net), DRAWN.values(), strict=True):
        np.testing.assert_array_equal(found, wanted)


def rows_are_where_they_belong(backend_name):
    rows = normal(2, 3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.params"
        path.write_bytes(params(some_rows([3, 1], rows, (5, 3)), names=["a.weight"]))
        found = ub.read_state(path)["a.weight"]
    wanted = np.zeros((5, 3), "float32")
    wanted[[3, 1]] = rows
    np.testing.assert_array_equal(found, wanted)


def the_longest_path_is_renamed(backend_name):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.pt"
        ub.write_state({"a.weight": np.zeros(2), "a.b.weight": np.ones(2)}, path)
        file = renamed(ub.read_state(path), {"a": "x", "a.b": "y"})
        assert list(file) == ["x.weight", "y.weight"]


def an_imported_gamma_that_is_fixed_is_1(backend_name):
    from unified_blocks_mxnet.compat import mx, nn

    net = nn.HybridSequential()
    net.add(nn.BatchNorm(in_channels=3, scale=False))
    net.initialize()
    net[0].gamma.set_data(mx.nd.array([5, 6, 7]))
    net.hybridize()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has no dtype of its input
        with mx.autograd.predict_mode():
            net(mx.nd.ones((1, 3)))
        net.export(f"{folder}/net")
        files = f"{folder}/net-symbol.json", ["data"], f"{folder}/net-0000.params"
        block = mx.gluon.SymbolBlock.imports(*files)
    (gamma,) = (a for name, a in ub.state(block).items() if name.endswith(".weight"))
    np.testing.assert_array_equal(gamma, np.ones(3))
