"""`ub.port`: a native net, its source and its files."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import unified_blocks as ub
from testbed.exported import ARRAYS, Graph, save
from testbed.ports import IMAGE, ported, target
from unified_blocks.porting import targets
from unified_blocks.porting.interpreter import values_of

JUDGED = "mxnet" in ub.available_backends()


def expected(port, inputs):
    (value,) = port.graph.outputs
    return values_of(port.graph, inputs)[value]


def given(port, x):
    """Images as the net takes them."""
    order = port.turned.get(port.graph.inputs[0])
    return np.ascontiguousarray(x if order is None else x.transpose(order))


def test_the_net_is_native_and_infers(tmp_path, backend_name, backend):
    port = ported(tmp_path, backend_name)
    net = port.net
    assert net is port.net
    assert isinstance(net, backend.layer_class)
    x = np.random.default_rng(1).normal(size=IMAGE).astype("float32")
    found = ub.to_numpy(backend.run(net, [backend.from_numpy(given(port, x))]))
    np.testing.assert_allclose(found, expected(port, {"data": x}), rtol=1e-4, atol=1e-5)


def test_all_that_was_trained_is_trainable_and_nothing_else(tmp_path, backend_name, backend):
    port = ported(tmp_path, backend_name)
    x = backend.from_numpy(given(port, np.ones(IMAGE, "float32")))
    _, gradients = ub.value_and_grad(port.net, x, loss="sum")
    frozen = sum(p.role != "parameter" for p in port.graph.parameters())
    assert len(gradients) == len(ARRAYS) - frozen == 4


def test_every_array_has_a_name_in_the_state(tmp_path, backend_name):
    port = ported(tmp_path, backend_name)
    assert {*ARRAYS} - {"bn0_gamma"} <= {*port.names} <= {*ARRAYS}  # it is 1, and may be left out
    assert {*port.names.values()} <= {*port.state}
    np.testing.assert_array_equal(port.state[port.names["fc1_bias"]], ARRAYS["fc1_bias"])
    if "bn0_gamma" in port.names:
        np.testing.assert_array_equal(port.state[port.names["bn0_gamma"]], np.ones(4))


def test_a_net_can_be_copied_and_pickled(tmp_path, backend_name, backend):
    port = ported(tmp_path, backend_name)
    x = [backend.from_numpy(given(port, np.ones(IMAGE, "float32")))]
    wanted = ub.to_numpy(backend.run(port.net, x))
    for other in (copy.deepcopy(port.net), pickle.loads(pickle.dumps(port.net))):
        np.testing.assert_array_equal(ub.to_numpy(backend.run(other, x)), wanted)


def test_two_ports_of_one_network_do_not_meet(tmp_path, backend_name):
    one, two = (ported(tmp_path, backend_name) for _ in range(2))
    assert one.net is not two.net
    assert type(one.net).__module__ != type(two.net).__module__ or "keras" in str(type(one.net))


def test_what_is_saved_is_loaded_without_this_library(tmp_path, backend_name, backend):
    pytest.importorskip("plotly", reason="a report needs it")
    port = ported(tmp_path, backend_name)
    folder = tmp_path / "new" / "net"
    written = port.save(folder, proof=False)
    assert [path.name for path in written][:2] == ["net.py", "net.safetensors"]
    assert (folder / "net.py").read_text() == port.source
    hidden = ["mxnet"] if backend_name in targets.TARGETS else []
    hidden += ["unified_blocks"] if hidden else []
    program = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({hidden}))\n"
        "import net\n"
        "print(type(net.load('net.safetensors')).__mro__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert backend.layer_class.__name__ in done.stdout


def test_files_that_are_there_are_replaced_and_others_stay(tmp_path, backend_name):
    pytest.importorskip("plotly", reason="a report needs it")
    port = ported(tmp_path, backend_name)
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.py").write_text("old")
    (tmp_path / "net" / "mine.py").write_text("mine")
    port.save(tmp_path / "net", proof=False)
    assert (tmp_path / "net" / "net.py").read_text() == port.source
    assert (tmp_path / "net" / "mine.py").read_text() == "mine"
    assert not [path for path in (tmp_path / "net").iterdir() if path.suffix == ".part"]


def test_outputs_cut_the_network(tmp_path, backend_name):
    port = ported(tmp_path, backend_name, outputs=["pool0"])
    assert port.graph.outputs[0].shape == (2, 4, 3, 3)
    assert not any("fc1" in name for name in port.names)
    port.proof.raise_if_wrong()


SIZED = "right for inputs of this size only"


@pytest.mark.parametrize(
    ("size", "is_sized"),
    [({"begin": 0, "end": 6}, False), ({"like": True}, True)],
)
def test_only_one_size_is_said_where_it_is_so(tmp_path, backend_name, size, is_sized):
    """Of a size that MXNet takes from another tensor, the port has the number."""
    graph = Graph()
    x, weight = graph.given("data", "conv0_weight")
    y = graph("Convolution", "conv0", x, weight, num_filter=4, kernel=(3, 3), no_bias=True)
    if "like" in size:
        cut = graph("slice_like", "cut0", x, y, axes=(2,))
    else:
        cut = graph("slice_axis", "cut0", x, axis=2, **size)
    text = graph.text(graph("Activation", "relu0", cut, act_type="relu"))
    path, _ = save(tmp_path, text, {"conv0_weight": ARRAYS["conv0_weight"]})
    port = ub.port(path, target(backend_name), example=IMAGE)
    found = [each for each in port.decisions if each.startswith(SIZED)]
    assert bool(found) is is_sized
    assert all(str(IMAGE) in each for each in found)


def test_a_network_of_one_size_is_not_told_so(tmp_path, backend_name):
    """The original takes no other, for its dense layer: nothing was lost."""
    port = ported(tmp_path, backend_name)
    assert not any(each.startswith(SIZED) for each in port.decisions)


def test_only_one_batch_is_said_where_it_is_so(tmp_path, backend_name):
    graph = Graph()
    (x,) = graph.given("data")
    text = graph.text(graph("Reshape", "reshape0", x, shape=(2, 12)))
    path, _ = save(tmp_path, text, {})
    port = ub.port(path, target(backend_name), example=(2, 3, 4))
    told = "the network is right for a batch of 2 only, as its graph says"
    assert told in port.decisions
    assert told in port.proof.notes
    assert "for a batch of 2 only" in " ".join(port.source.split())
    assert ported(tmp_path, backend_name).proof.notes == ()


@pytest.mark.skipif(not JUDGED, reason="there is no live net of Gluon without MXNet")
def test_a_live_net_is_ported_under_the_names_of_its_blocks(backend_name):
    from mxnet.gluon import nn

    class Twice(nn.HybridBlock):
        def __init__(self):
            super().__init__()
            self.body = nn.HybridSequential()
            self.body.add(nn.Conv2D(3, 3, padding=1), nn.BatchNorm())
            self.head = nn.Dense(2)

        def hybrid_forward(self, F, x):
            return self.head(self.body(x) + x)

    net = Twice()
    net.initialize()
    net.body[1].gamma.grad_req = "null"
    for example in (IMAGE, np.ones(IMAGE, "float32"), (IMAGE,)):
        port = ub.port(net, target(backend_name), example=example)
        port.proof.raise_if_wrong()
        layers = {name.rpartition(".")[0] for name in port.state}
        assert layers == {"body.0", "body.1", "head"}
    assert f"not trained, as in the original: {net.body[1].gamma.name}" in port.decisions
    with pytest.raises(ub.InputError, match="a live net must be called to be read; got a Twice"):
        ub.port(net, target(backend_name))
