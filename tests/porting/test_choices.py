"""Where rounding decides between equal numbers, and where it is no excuse."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.exported import Graph, save
from testbed.ports import TARGETS, target


@pytest.fixture
def made(tmp_path, backend_name):
    """A port of a network that chooses among three numbers, the first two of them equal."""
    if backend_name not in TARGETS:
        pytest.skip("no portable block is written with such an operator")

    def make(choose):
        graph = Graph()
        x, weight = graph.given("x", "fc_weight")
        scores = graph("FullyConnected", "fc", x, weight, num_hidden=18, no_bias=True)
        text = graph.text(choose(graph, scores))
        rng = np.random.default_rng(0)
        weight = np.repeat(rng.uniform(0.5, 1, (3, 1, 5)), 6, 1)
        weight[1] = weight[0]
        weight[2] *= 0.25
        weight *= 1 + np.arange(6)[:, None]
        weight[1, 2:] *= 4  # another box, far away
        path, _ = save(tmp_path, text, {"fc_weight": weight.reshape(18, 5)})
        example = np.abs(rng.normal(size=(1, 5))).astype("float32")
        return ub.port(path, target(backend_name), example=example)

    return make


def largest(graph, scores):
    rows = graph("Reshape", "rows", scores, shape=(0, 3, 6))
    return graph("topk", "chosen", rows, axis=1, ret_typ="indices")


def apart(graph, scores):
    rows = graph("Reshape", "rows", scores, shape=(0, 3, 6))
    return graph("_contrib_box_nms", "chosen", rows)


def nudged(port, share):
    """`port`, with what gives the second row a little larger."""
    name = port.names["fc_weight"]
    weight = port.state[name].copy()
    rows = weight if weight.shape[0] == 18 else weight.T
    rows[6:12] *= 1 + share
    port.state[name] = weight
    return port


@pytest.mark.parametrize("choose", [largest, apart])
def test_a_choice_that_rounding_decides_is_compared_by_what_was_chosen_by(made, choose):
    port = made(choose)
    assert port.proof.ok
    assert port.proof.notes == ()
    proof = nudged(port, 1e-13).prove()
    proof.raise_if_wrong()
    assert proof.judges[-1].startswith("NumPy by the numbers of ")
    assert "chosen" in proof.notes[0]
    assert "rounding decides between numbers that are equal" in proof.notes[0]


@pytest.mark.parametrize("choose", [largest, apart])
def test_a_choice_by_other_numbers_is_wrong(made, choose):
    proof = nudged(made(choose), 1e-6).prove()
    assert not proof.ok
    assert proof.first_wrong.layer == "fc"
    assert proof.notes == ()
