"""What portable blocks have no layer for, and say in their operations, on every backend."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.ported import BATCH, Network, complaints, doubled, example, expected, module_of
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import parameter
from unified_blocks.porting.operations.activations import Elu
from unified_blocks.porting.operations.detection import BoxOverlap
from unified_blocks.porting.operations.elementwise import Cast, Clip
from unified_blocks.porting.operations.embedding import Embedding
from unified_blocks.porting.operations.gathers import OneHot, Take, TakeAlong
from unified_blocks.porting.operations.pooling import SumPool
from unified_blocks.porting.operations.reductions import Reduce, Sort
from unified_blocks.porting.operations.resizing import Resize
from unified_blocks.porting.operations.sequences import (
    MaskedSoftmax,
    SequenceLast,
    SequenceMask,
    SequenceReverse,
)
from unified_blocks.porting.operations.shapes import BroadcastLike, BroadcastTo, ExpandDims
from unified_blocks.porting.operations.slices import (
    Pad,
    Repeat,
    Slice,
    Split,
    Tile,
    Unstack,
)
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.portable import write


def functions():
    """Functions of numbers that are made of others."""
    net = Network()
    x = net.input(3, 4)
    made = [net.apply(name, name, x) for name in ("tan", "sinh", "cosh", "trunc", "log_sigmoid")]
    y = net.add("up", Clip(0.5, 3.0), x)
    made += [net.apply(name, name, y) for name in ("log2", "log10", "rsqrt", "reciprocal")]
    one, other = net.apply("above", "greater", x, y), net.apply("below", "less", x, made[0])
    made += [
        net.add("number", Cast("float64"), net.apply(name, f"logical_{name}", one, other))
        for name in ("and", "or", "xor")
    ]
    made.append(net.add("turned", Cast("float64"), net.apply("not", "logical_not", one)))
    return net.done(*made, net.add("elu", Elu(0.3), x))


def places():
    """Numbers by their place."""
    net = Network()
    x, table = net.input(5, 4), net.numbers("table", 6, 3, role="constant")
    columns = parameter("columns", np.array([3, 0, 3]), "constant", ["columns"])
    places = net.add("whole", Cast("int64"), net.add("inside", Clip(0.0, 3.0), x))
    first = net.add("first", Slice((0, 0, 0), (None, 1, None), (1, 1, 1)), places)
    return net.done(
        net.add("rows", Take(0), table, places),
        net.add("of each", Take(2), x, columns),
        net.add("pick", TakeAlong(1), x, first),
        net.add("hot", OneHot(4, "float64"), places),
        net.add(
            "words", Embedding(), net.add("floats", Cast("float64"), places), net.numbers("e", 6, 2)
        ),
    )


def sequences():
    """Sequences of which each has its own length, as (n, t, c) and as (t, n, c)."""
    net = Network()
    x, y = net.input(5, 3), net.input(4, name="other")
    y = net.add("steps", BroadcastTo((BATCH, 4, 6)), net.add("wide", ExpandDims(2), y))
    lengths = net.add("sum", Reduce("sum", (1, 2)), net.apply("square", "square", x))
    lengths = net.apply("floor", "floor", net.add("some", Clip(0.0, 5.0), lengths))
    some = net.add("at least one", Clip(1.0, 4.0), lengths)
    z = net.add(
        "one",
        MaskedSoftmax(1),
        x,
        net.add("each", BroadcastTo((BATCH, 3)), net.add("col", ExpandDims(1), lengths)),
    )
    return net.done(
        z,
        net.add("mask", SequenceMask(1, -1.0), x, lengths),
        net.add("all", SequenceMask(1, -1.0), x),
        net.add("last", SequenceLast(1), x, some),
        net.add("end", SequenceLast(1), x),
        net.add("back", SequenceReverse(1), x),
        y,
    )


def moves():
    """Parts, and the same again."""
    net = Network()
    x = net.input(5, 4)
    fixed = net.apply("fixed", "add", x, net.numbers("shift", 5, 1, role="frozen"))
    one = net.add("mean", Reduce("mean", (1,), True), x)
    a, b, c = outputs_of(net, "split", Split((1, 3, 1), 1), x)
    p, *_, q = outputs_of(net, "unstack", Unstack(2), x)
    return net.done(
        net.add("like", BroadcastLike(), one, x),
        net.add("to", BroadcastTo((BATCH, 5, 4)), one),
        net.add("tile", Tile((1, 2, 3)), x),
        net.add("repeat", Repeat(3, 1), x),
        net.add("times", Repeat(2, 2), x),
        net.add("steps back", Slice((None, 4, None), (None, None, 2), (1, -2, 1)), x),
        a, b, c, p, q, fixed,
    )  # fmt: skip


def images():
    """Images of any other size."""
    net = Network()
    x = net.conv("conv", net.input(3, 6, 5), 4)
    pad = ((1, 1),) * 2
    return net.done(
        net.add("linear", Resize((7, 8), "linear"), x),
        net.add("corners", Resize((4, 3), "linear", True), x),
        net.add("near", Resize((9, 11)), x),
        net.add("edges", Pad(((0, 0), (0, 0), (1, 2), (0, 3)), "edge"), x),
        net.add("twos", Pad(((0, 0), (1, 0), (1, 2), (0, 3)), number=2.0), x),
        net.add("sum", SumPool((3, 3), (2, 2), pad, pad), x),
    )


def outputs_of(net, path, operation, x):
    """All that a node gives, each with the batch first."""
    made = net.builder.add(operation, x, name=path, path=(path,), kinds=())
    for each in made:
        each.growth = (1, *[0] * (each.rank - 1))
    return made


CASES = [functions, places, sequences, moves, images]


@pytest.mark.parametrize("make", CASES)
def test_what_is_written_computes_what_the_graph_does(make, backend_name, tmp_path):
    graph = doubled(make())
    written = write(graph, divided(graph), name="net")
    net = module_of(written, tmp_path).load(str(tmp_path / "net.safetensors"), backend_name)
    inputs = example(graph, 3)
    given = net(*(ub.from_numpy(inputs[v.name], backend_name) for v in graph.inputs))
    for value, mine, right in zip(graph.outputs, given, expected(graph, inputs), strict=True):
        np.testing.assert_allclose(
            ub.to_numpy(mine), right, rtol=1e-9, atol=1e-9, err_msg=value.name
        )


@pytest.mark.parametrize("make", CASES)
def test_what_is_written_is_formatted_and_clean(make):
    pytest.importorskip("ruff")
    graph = make()
    assert complaints(write(graph, divided(graph), name="net").source) == ""


def test_what_cannot_be_said_is_refused_in_one_error():
    net = Network()
    x = net.input(5, 4)
    y = net.apply("scale", "multiply", x, net.numbers("factor", 5, 1))
    y = net.apply("angle", "arcsin", y)
    z, _ = outputs_of(net, "order", Sort(1, False), y)
    overlaps = net.add("boxes", BoxOverlap("corner"), y, y)
    with pytest.raises(UnsupportedError) as caught:
        write(graph := net.done(z, overlaps), divided(graph), name="net")
    said = str(caught.value)
    for each in ("factor is trained, and belongs to no layer", "arcsin", "Sort", "BoxOverlap"):
        assert each in said
    assert said.endswith("or port it to torch or tensorflow")


def test_a_live_net_with_constants_and_lengths_is_ported(backend_name):
    if "mxnet" not in ub.available_backends():
        pytest.skip("mxnet is not installed")
    from unified_blocks_mxnet.compat import mx

    class Sequences(mx.gluon.HybridBlock):
        """Rows of a table that is not trained, of sequences that end somewhere."""

        def __init__(self):
            super().__init__()
            with self.name_scope():
                table = np.random.default_rng(0).normal(size=(7, 3)).astype("float32")
                self.table = self.params.get_constant("table", mx.nd.array(table))
                self.dense = mx.gluon.nn.Dense(4, flatten=False, in_units=3)

        def hybrid_forward(self, F, words, lengths, table):
            x = F.take(table, words)
            x = F.SequenceMask(self.dense(x), lengths, use_sequence_length=True, axis=1)
            return F.repeat(x, 2, axis=2), F.tile(F.log2(F.exp(x)), (1, 1, 2))

    net = Sequences()
    net.initialize(mx.init.Xavier())
    words = np.random.default_rng(1).integers(0, 7, (2, 5)).astype("float32")
    with ub.use_backend(backend_name):
        port = ub.port(net, "unified_blocks", example=[words, np.array([2, 4], "float32")])
        port.proof.raise_if_wrong()
    assert port.proof.error < 1e-6
