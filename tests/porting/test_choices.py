"""Where rounding decides between equal numbers, and where it is no excuse."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.exported import Graph, save
from testbed.ports import TARGETS, target
from unified_blocks.porting.choosing import among_equals
from unified_blocks.porting.graph import Builder
from unified_blocks.porting.operations.reductions import ArgReduce, Sort, TopK


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


def peak(graph, scores):
    """As heads of detectors find peaks: a number is kept where it is the largest around it."""
    rows = graph("Reshape", "rows", scores, shape=(0, 3, 6))
    most = graph("max", "most", rows, axis=1, keepdims=True)
    kept = graph("broadcast_mul", "kept", graph("broadcast_equal", "chosen", rows, most), rows)
    return graph("topk", "places", kept, axis=1, ret_typ="indices")


def nudged(port, share):
    """`port`, with what gives the second row a little larger."""
    name = port.names["fc_weight"]
    weight = port.state[name].copy()
    rows = weight if weight.shape[0] == 18 else weight.T
    rows[6:12] *= 1 + share
    port.state[name] = weight
    return port


CHOICES = [largest, apart, peak]


@pytest.mark.parametrize("choose", CHOICES)
def test_a_choice_that_rounding_decides_is_compared_by_what_was_chosen_by(made, choose):
    port = made(choose)
    assert port.proof.ok
    assert port.proof.notes == ()
    proof = nudged(port, 1e-13).prove()
    proof.raise_if_wrong()
    assert proof.judges[-1].startswith("NumPy by the numbers of ")
    assert "chosen" in proof.notes[0]
    assert "rounding decides between numbers that are equal" in proof.notes[0]


@pytest.mark.parametrize("choose", CHOICES)
def test_a_choice_by_other_numbers_is_wrong(made, choose):
    proof = nudged(made(choose), 1e-6).prove()
    assert not proof.ok
    assert proof.first_wrong.layer == "fc"
    assert proof.notes == ()


@pytest.mark.parametrize(
    ("operation", "theirs", "is_one"),
    [
        (TopK(2, 1, True), [[2, 1]], True),
        (TopK(2, 1, True), [[1, 2]], True),
        (TopK(2, 1, True), [[1, 1]], False),  # no two numbers
        (TopK(2, 1, True), [[1, 0]], False),  # not the largest
        (TopK(2, 1, True), [[1, 9]], False),  # outside
        (Sort(1), [[3, 0, 2, 1]], True),
        (Sort(1), [[0, 3, 2, 1]], False),
        (ArgReduce("argmax", 1), [2], True),
        (ArgReduce("argmax", 1), [3], False),
    ],
)
def test_the_choice_of_another_counts_where_it_is_among_equals(operation, theirs, is_one):
    builder = Builder("net")
    x = builder.input("x", (1, 4))
    given = builder.add(operation, x, name="order")
    (node,) = builder.graph.nodes
    numbers = np.array([[2.0, 5.0, 5.0, 1.0]])
    made = operation.compute(numbers)
    made = made if isinstance(made, tuple) else (made,)
    theirs = np.array(theirs)
    chosen = among_equals({given[-1]: theirs})(node, [numbers], made)
    assert (chosen[-1] is theirs) is is_one
    assert chosen[:-1] == made[:-1]
