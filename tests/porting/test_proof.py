"""The proof of a port: it sees what is wrong, and says where first."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.exported import Graph, save, small_network
from testbed.ports import TARGETS, ported, spoiled, target
from unified_blocks.porting import proving, targets
from unified_blocks.porting.judges import loosened
from unified_blocks.porting.mxnet.reader import read_graph
from unified_blocks.porting.port import network_of
from unified_blocks.porting.proof import Judged, Proof, ProofRow
from unified_blocks.porting.watching import distance

JUDGED = "mxnet" in ub.available_backends()
judged = pytest.mark.skipif(not JUDGED, reason="MXNet, the judge, is not installed")


@pytest.fixture
def alone(monkeypatch):
    """No judge but NumPy."""
    monkeypatch.setattr(proving, "original_is_here", lambda: False)
    monkeypatch.setattr(proving, "available_backends", list)


def test_every_layer_is_equal_to_what_every_judge_computes(tmp_path, backend_name):
    proof = ported(tmp_path, backend_name).proof
    proof.raise_if_wrong()
    assert proof.judges[-1] == "NumPy"
    assert ("MXNet" in proof.judges[0]) == JUDGED
    rows = {row.layer: row for row in proof.rows}
    assert {"conv0", "bn0", "fc1", "output"} <= rows.keys()
    assert (rows["conv0"].operation, rows["conv0"].shape) == ("Convolution", (2, 4, 6, 6))
    assert all(len(row.judged) == len(proof.judges) for row in rows.values())
    assert 0 < proof.error < 1e-10
    assert "equal to" in proof.summary


def test_the_first_layer_that_is_wrong_is_named(tmp_path, backend_name, alone):
    proof = spoiled(ported(tmp_path, backend_name), "fc1").proof
    assert not proof.ok
    assert proof.first_wrong.layer == "fc1"
    assert [row.ok for row in proof.rows if row.layer in ("conv0", "bn0")] == [True, True]
    assert not proof.rows[-1].ok
    with pytest.raises(ub.NotEquivalentError, match=r"not equal to NumPy, first in fc1 .Linear"):
        proof.raise_if_wrong()
    assert spoiled(ported(tmp_path, backend_name)).proof.first_wrong.layer == "conv0"


def test_numbers_are_compared_in_float64(tmp_path, backend_name, alone):
    """Where float32 could not tell one last place of one number from what is right."""
    port = ported(tmp_path, backend_name)
    bias = port.state[port.names["bn0_beta"]].copy()
    largest = np.argmax(abs(bias))
    bias[largest] = np.nextafter(bias[largest], np.float32(9))
    port.state[port.names["bn0_beta"]] = bias
    assert port.proof.first_wrong.layer == "bn0"
    assert port.proof.error < 1e-6


@judged
def test_gradients_are_equal_too(tmp_path, backend_name):
    text = small_network(head="LogisticRegressionOutput")
    port = ported(tmp_path, backend_name, text)
    proof = port.prove(gradients=True)
    proof.raise_if_wrong()
    found = {row.layer: row for row in proof.rows if row.layer.startswith("gradient by ")}
    wanted = ("conv0_weight", "bn0_beta", "fc1_weight", "fc1_bias")
    assert {*found} == {f"gradient by {port.names[name]}" for name in wanted}
    assert not spoiled(port, "fc1").prove(gradients=True).ok


@judged
def test_gradients_by_several_inputs_are_not_compared_and_said_to_be(tmp_path, backend_name):
    graph = Graph()
    a, b = graph.given("a", "b")
    text = graph.text(graph("elemwise_add", "sum", a, b))
    path, _ = save(tmp_path, text, {})
    proof = ub.port(path, target(backend_name), example=((2, 3), (2, 3))).prove(gradients=True)
    assert proof.notes == ("gradients are compared of networks of one input only; this one has 2",)


@judged
def test_gradients_that_mxnet_gets_wrong_are_not_compared_and_said_to_be(tmp_path, backend_name):
    if backend_name not in TARGETS:
        pytest.skip("no portable block is written with a PReLU")
    graph = Graph()
    x, slope = graph.given("x", "slope_gamma")
    text = graph.text(graph("LeakyReLU", "slope", x, slope, act_type="prelu"))
    path, _ = save(tmp_path, text, {"slope_gamma": np.full(3, 0.25, "float32")})
    proof = ub.port(path, target(backend_name), example=(2, 3, 4)).prove(gradients=True)
    assert "not compared of networks with PReLU: in a graph MXNet 1.9.1 computes" in proof.notes[0]
    assert proof.ok


def test_gradients_without_mxnet_are_refused(tmp_path, backend_name, alone):
    with pytest.raises(ub.UnsupportedError, match="gradients must be judged by MXNet; got none"):
        ported(tmp_path, backend_name).prove(gradients=True)


@judged
def test_a_record_judges_where_mxnet_is_not(tmp_path, backend_name, alone):
    port = ported(tmp_path, backend_name)
    port.record(tmp_path / "judge.safetensors")
    proof = port.prove(judge=tmp_path / "judge.safetensors")
    proof.raise_if_wrong()
    assert proof.judges == ("a record of MXNet 1.9.1", "NumPy")
    assert all(len(row.judged) == 2 for row in proof.rows)
    assert not spoiled(port).prove(judge=tmp_path / "judge.safetensors").ok
    other = ported(tmp_path, backend_name, example=(1, 3, 8, 8))
    with pytest.raises(
        ub.InputError, match=r"data \(1, 3, 8, 8\); got data \(2, 3, 8, 8\) of small"
    ):
        other.prove(judge=tmp_path / "judge.safetensors")


def test_a_file_that_is_no_record_judges_nothing(tmp_path, backend_name, alone):
    port = ported(tmp_path, backend_name)
    ub.write_state(port.state, tmp_path / "numbers.safetensors")
    with pytest.raises(ub.FileFormatError, match="a judge must be a record that"):
        port.prove(judge=tmp_path / "numbers.safetensors")


def test_without_mxnet_another_framework_judges(tmp_path, backend_name, monkeypatch):
    port = ported(tmp_path, backend_name)
    others = [
        name
        for name, each in targets.TARGETS.items()
        if each is not port.target and each.backend in ub.available_backends()
    ]
    monkeypatch.setattr(proving, "original_is_here", lambda: False)
    proof = port.proof
    assert len(proof.judges) == 1 + len(others)
    assert proof.ok
    if others:
        assert proof.judges[0].startswith("its port to ")
        wrong = spoiled(port).prove().first_wrong
        assert wrong.layer == "conv0"
        assert len(wrong.judged) == len(proof.judges)


def without_framework(self):
    raise ub.BackendImportError("backend 'x' needs its framework, which is not installed")


def test_without_the_framework_the_proof_says_so(tmp_path, backend_name, monkeypatch):
    port = ported(tmp_path, backend_name)
    monkeypatch.setattr(targets.Target, "load_backend", without_framework)
    with pytest.raises(ub.BackendImportError, match="which is not installed"):
        port.net  # noqa: B018
    monkeypatch.setattr(proving, "original_is_here", lambda: False)
    proof = port.prove()
    assert not proof.ok
    assert proof.notes == ("the source was not run: backend 'x' needs its framework, which is not "
                           "installed",)  # fmt: skip
    with pytest.raises(ub.NotEquivalentError, match="nothing was compared"):
        proof.raise_if_wrong()
    assert "class" in port.source or "def build" in port.source
    if JUDGED:
        monkeypatch.undo()
        monkeypatch.setattr(targets.Target, "load_backend", without_framework)
        read = port.prove()
        assert read.ok
        assert read.title == "small, as it was read"
        assert {row.operation for row in read.rows} >= {"Convolution", "BatchNorm", "Linear"}


def test_several_inputs_and_outputs_are_in_the_order_of_the_graph(tmp_path, backend_name):
    graph = Graph()
    b, a = graph.given("b", "a")
    text = graph.text(
        graph("elemwise_add", "sum", a, b), graph("Activation", "act", b, act_type="tanh")
    )
    shapes = {"a": (2, 3), "b": (2, 3)}
    path, _ = save(tmp_path, text, {})
    port = ub.port(path, target(backend_name), example=shapes)
    assert [value.name for value in port.graph.inputs] == ["b", "a"]
    proof = port.proof
    proof.raise_if_wrong()
    assert [row.layer for row in proof.rows if row.is_output] == ["output 0", "output 1"]


def test_what_is_loose_is_loose_in_all_that_follows(tmp_path):
    graph = Graph()
    (x,) = graph.given("x")
    act = graph("Activation", "act", x, act_type="tanh")
    leaky = graph("LeakyReLU", "leaky", act, act_type="leaky", slope=0.1)
    again = graph("LeakyReLU", "again", leaky, act_type="elu")
    total = graph("elemwise_add", "sum", again, leaky)
    path, _ = save(tmp_path, graph.text(total, act), {})
    network, given = network_of(path, None, (2, 3), None)
    found = loosened(network, read_graph(network, {"x": given["x"].typed}))
    assert {value.name: allowed for value, allowed in found.items()} == {
        "act": 1e-9, "leaky": 2e-7, "again": 4e-7, "sum": 4e-7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.5], [1.0, 2.0], 0.25),
        ([np.nan, 1.0], [np.nan, 1.0], 0.0),
        ([np.nan, 1.0], [1.0, 1.0], np.inf),
        ([np.inf, 1.0], [np.inf, 1.0], 0.0),
        ([1.0, 1.0], [np.inf, 1.0], np.inf),
        ([1e-3], [0.0], 1e-3),
        ([True, False], [True, True], 1.0),
        ([1.0], [1.0, 1.0], np.inf),
        ([], [], 0.0),
    ],
)
def test_an_error_is_a_share_of_the_largest_number(a, b, expected):
    assert distance(np.array(a), np.array(b)) == expected


def test_the_worst_judge_counts():
    row = ProofRow("a", "Linear", (1,), (Judged("one", 1e-8, 1e-6), Judged("two", 1e-9, 1e-10)))
    assert (row.error, row.tolerance, row.ok) == (1e-9, 1e-10, False)
    assert Proof("x", (row,), ("one", "two")).first_wrong is row
    assert not Proof("x", (), ()).ok
