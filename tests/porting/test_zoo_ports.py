"""The networks of Gluon's model zoo, ported: equal to MXNet in float64, and without it.

To PyTorch and Keras; where tests run on MXNet, to portable blocks.

By default six small ones; `UNIFIED_BLOCKS_SOAK=1` takes all 34. Nothing is downloaded: their
numbers are drawn.
"""

import gc

import numpy as np
import pytest

import unified_blocks as ub
from testbed.hostile import SOAK
from testbed.ports import target
from testbed.programs import program

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed.zoo import NAMES, SMALLEST, network

QUICK = [
    *("resnet18_v1", "resnet18_v2", "mobilenet0.25", "mobilenetv2_0.25", "squeezenet1.1"),
    "alexnet",
]
MOST_LINES = {"resnet152_v1": 120, "resnet152_v2": 120}


@pytest.fixture(scope="module", params=NAMES if SOAK else QUICK)
def name(request):
    """Of the whole module, so that all tests of a network follow one another."""
    return request.param


@pytest.fixture(scope="module")
def made(name):
    """A network, and its ports by their framework."""
    yield network(name), {}
    gc.collect()


@pytest.fixture
def port(name, made, backend_name):
    net, ports = made
    if backend_name not in ports:
        size = SMALLEST.get(name, 224)
        x = np.random.default_rng(1).normal(size=(2, 3, size, size)).astype("float32")
        ports[backend_name] = ub.port(net, target(backend_name), example=x)
    return ports[backend_name]


def test_each_layer_and_each_gradient_is_equal_to_mxnet(port):
    proof = port.prove(gradients=True)
    proof.raise_if_wrong()
    assert proof.judges[0].startswith("MXNet")
    assert proof.error < 1e-9
    trained = {p.name for p in port.graph.parameters() if p.role == "parameter"}
    rows = [row for row in proof.rows if row.layer.startswith("gradient by")]
    assert len(rows) == len(trained) > 0


def test_its_names_are_those_of_save_parameters(port, made, backend_name):
    if backend_name != "torch":
        pytest.skip("other frameworks have other names of arrays")
    norms = {"gamma": "weight", "beta": "bias"}
    paths = {tuple(name.split(".")) for name in made[0]._collect_params_with_prefix()}
    wanted = {".".join((*path[:-1], norms.get(path[-1], path[-1]))) for path in paths}
    held = {name for name in port.state if not name.endswith("num_batches_tracked")}
    assert held == wanted


def test_its_source_is_short(port, name):
    assert len(port.source.splitlines()) <= MOST_LINES.get(name, 250)


def test_its_source_runs_alone(port, name, backend_name, tmp_path):
    if backend_name == "mxnet":
        pytest.skip("a portable block needs this library")
    if not SOAK and name != QUICK[2]:
        pytest.skip("a process for one is enough")
    port.save(tmp_path, proof=False)
    np.save(tmp_path / "x.npy", x := port.inputs["data"].astype("float64"))
    program("port_alone.py", backend_name, str(tmp_path))
    computed = ub.get_backend("mxnet").evaluate(port.network.text, port.network.arrays, {"data": x})
    *_, expected = computed.values.values()
    outputs = np.load(tmp_path / "outputs.npz")
    assert len(outputs.files) == 2
    for name in outputs.files:
        bound = 1e-9 * abs(expected).max()
        assert abs(outputs[name] - expected).max() < bound
