"""The networks of Gluon's model zoo: what is packed of them, and what they become.

By default one of each family; `UNIFIED_BLOCKS_SOAK=1` takes all 34. Nothing is downloaded: their
numbers are drawn.
"""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.hostile import SOAK
from unified_blocks.errors import InputError
from unified_blocks.porting import zoo
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.mxnet.symbols import symbol_of

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed.zoo import NAMES, OF_EACH_FAMILY, SMALLEST, content_of, mx, network, vision

RUN = NAMES if SOAK else OF_EACH_FAMILY


@pytest.fixture(autouse=True)
def of_mxnet(backend_name):
    if backend_name != "mxnet":
        pytest.skip("the zoo is MXNet's")


def test_all_are_packed_in_little_space():
    assert zoo.names() == NAMES
    assert len(NAMES) == 34
    assert zoo.GRAPHS.stat().st_size < 250_000


def test_another_name_is_an_error():
    with pytest.raises(InputError, match=r"must be one of alexnet, .*; got 'lenet'"):
        zoo.packed("lenet")


@pytest.mark.parametrize("name", RUN)
def test_what_is_packed_is_what_mxnet_makes(name):
    packed = zoo.packed(name)
    content = content_of(name)
    assert symbol_of(packed.graph) == symbol_of(json.dumps(content["symbol"]))
    assert packed.kind == content["kind"]
    assert {key: ".".join(path) for key, path in packed.names.items()} == content["names"]


@pytest.mark.parametrize("saved", ["save_parameters", "export", "save"])
def test_numbers_come_in_each_kind_of_file(saved, tmp_path):
    """A network that is the second of its class in its process, whose names have another number."""
    vision.resnet18_v1()
    net = vision.resnet18_v1()
    net.initialize()
    net.hybridize()
    net(mx.nd.zeros((1, 3, 32, 32)))
    path = tmp_path / "net-0000.params"
    if saved == "save_parameters":
        net.save_parameters(str(path))
    elif saved == "export":
        net.export(str(tmp_path / "net"))
    else:
        net.collect_params().save(str(path), strip_prefix=net.prefix)
    arrays = {
        name.removeprefix("arg:").removeprefix("aux:"): array.asnumpy()
        for name, array in mx.nd.load(str(path)).items()
    }
    packed = zoo.packed("resnet18_v1")
    named = packed.named(arrays)
    assert named.keys() == packed.names.keys()
    first = net.features[0].weight.data().asnumpy()
    np.testing.assert_array_equal(named["resnetv10_conv0_weight"], first)


@pytest.mark.parametrize("name", RUN)
def test_what_is_packed_computes_what_mxnet_computes(name):
    packed, net = zoo.packed(name), network(name)
    saved = net._collect_params_with_prefix()
    arrays = packed.named({key: value.data().asnumpy() for key, value in saved.items()})
    size = SMALLEST.get(name, 224)
    x = np.random.default_rng(1).normal(size=(2, 3, size, size))
    source = Source(packed.kind, packed.symbol, arrays, packed.names)
    graph = read_graph(source, {"data": (x.shape, "float32")})
    mine = values_of(graph, {"data": x})
    theirs = ub.get_backend("mxnet").evaluate(packed.graph, arrays, {"data": x}).values
    for node in graph.nodes:
        if node.name in theirs:
            expected = theirs[node.name]
            bound = 1e-12 * max(1, abs(expected).max())
            assert abs(mine[node.output] - expected).max() < bound, node.name
    assert {len(node.kinds) + 1 - len(node.path) for node in graph.nodes} == {0}
