"""Each operator of MXNet that is read: its numbers are those of MXNet."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.mxnet_nodes import one
from testbed.operator_cases import CASES
from unified_blocks.porting.mxnet import handlers
from unified_blocks.porting.mxnet.handlers import load_handlers
from unified_blocks.porting.mxnet.reader import CUT, Source, read_graph
from unified_blocks.porting.mxnet.reading import HANDLERS
from unified_blocks.porting.mxnet.symbols import symbol_of
from unified_blocks.porting.mxnet.tolerances import tolerance_of
from unified_blocks.porting.operations.activations import Softmax

FAMILIES = {
    f"{handlers.__name__}.{name}"
    for name in (
        *("zoo", "activations", "heads", "arithmetic", "shapes", "slices", "reductions"),
        *("gathers", "creation", "images", "detection"),
    )
}
OF_OTHERS = {"WarpCTC", "BatchNorm_v1", "CuDNNBatchNorm", "Pooling_v1"}
"""Operators that MXNet 1.9.1 does not have, or not on a CPU."""


@pytest.mark.skipif("mxnet" not in ub.available_backends(), reason="mxnet is not installed")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_numbers_are_those_of_mxnet(case):
    expected = case.by_mxnet()
    got = case.by_numpy()
    assert len(got) == len(expected)
    for mine, theirs in zip(got, expected, strict=True):
        assert mine.shape == theirs.shape
        scale = max(np.abs(theirs).max(initial=0), 1)
        assert np.abs(mine - theirs).max(initial=0) <= tolerance_of(case.operator) * scale


@pytest.mark.parametrize("case", [case for case in CASES if case.operator not in CUT], ids=str)
def test_an_option_that_is_not_known_is_refused(case):
    with pytest.raises(ub.UnsupportedError, match="invented=1"):
        case.graph(invented=1)


def test_every_operator_has_a_case():
    load_handlers()
    here = {name for name, handler in HANDLERS.items() if handler.__module__ in FAMILIES}
    assert here - {case.operator for case in CASES} == OF_OTHERS


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (one("SoftmaxActivation", (2, 4), mode="row"), "mode=row is not known"),
        (one("log_softmax", (2, 3), (2,), use_length=True), "use_length=True"),
        (one("softmax", (2, 3), use_length=True), "use_length=True without lengths"),
        (one("softmax", (2, 3), dtype="float16"), "dtype=float16 of float64"),
        (one("LeakyReLU", (2, 3), act_type="swish"), "act_type=swish is not known"),
        (one("SliceChannel", (2, 5), num_outputs=2), "2 parts of 5 that are not alike"),
        (one("topk", (2, 5), ret_typ="mask"), "ret_typ must be value, indices or both; got mask"),
        (one("norm", (2, 5), ord=3), "ord must be 1 or 2; got 3"),
        (one("dot", (2, 5), (3, 5, 2)), r"a product of \(2, 5\) and \(3, 5, 2\)"),
        (one("Pooling", (2, 3, 5, 5), kernel=(2, 2), pool_type="lp", p_value=3), "p_value=3"),
        (one("_contrib_BilinearResize2D", (2, 3, 5, 5), mode="half"), "mode=half is not known"),
        (one("UpSampling", (2, 3, 5, 5), scale=2, sample_type="cubic"), "sample_type=cubic"),
        (one("_arange", start=0, infer_range=True), "infer_range=True"),
        (one("Pad", (2, 3), mode="wrap", pad_width=(0, 0, 1, 1)), "mode=wrap is not known"),
        (one("Reshape", (2, 3)), "it has no shape"),
        (
            one("_contrib_ModulatedDeformableConvolution", (2, 3, 5), kernel=(3,), num_filter=2),
            "got 1 axes of space",
        ),
        (one("where", np.zeros(2), (2, 3), (2, 3)), "the condition must have as many axes"),
    ],
    ids=str,
)
def test_what_has_no_meaning_here_is_refused(case, message):
    with pytest.raises(ub.UnsupportedError, match=message):
        case.graph()


def read(*nodes, outputs=None, **arrays):
    """The graph of a symbol of `(operator, name, options, names of inputs)`, for x of (2, 3)."""
    places = {name: i for i, (_, name, _, _) in enumerate(nodes)}
    found = [
        {
            "op": operator,
            "name": name,
            "attrs": options,
            "inputs": [[places[each], 0, 0] for each in inputs],
        }
        for operator, name, options, inputs in nodes
    ]
    text = json.dumps({"nodes": found, "heads": [[len(nodes) - 1, 0, 0]]})
    source = Source("net", symbol_of(text), arrays)
    return read_graph(source, {"x": ((2, 3), "float32")}, outputs)


X = ("null", "x", {}, [])
LABEL = ("null", "label", {}, [])


def operations(graph):
    return [type(node.operation).__name__ for node in graph.nodes]


@pytest.mark.parametrize("operator", sorted(CUT))
def test_a_network_ends_before_what_is_only_for_training(operator):
    nodes = [X, LABEL, ("exp", "e", {}, ["x"]), (operator, "loss", {}, ["e", "label"])]
    graph = read(*nodes, ("make_loss", "head", {}, ["loss"]))
    assert [value.name for value in graph.outputs] == ["e"]
    assert [value.name for value in graph.inputs] == ["x"]


def test_a_loss_that_others_take_is_refused():
    with pytest.raises(ub.UnsupportedError, match="loss: operator CTCLoss"):
        read(X, ("CTCLoss", "loss", {}, ["x"]), ("exp", "e", {}, ["loss"]))


def test_a_gradient_that_is_stopped_inside_stays_so():
    graph = read(X, ("BlockGrad", "stop", {}, ["x"]), ("exp", "e", {}, ["stop"]))
    assert operations(graph) == ["StopGradient", "Elementwise"]


def test_warp_ctc_gives_probabilities():
    graph = read(X, LABEL, ("WarpCTC", "ctc", {"label_length": "4"}, ["x", "label"]))
    (node,) = graph.nodes
    assert node.operation == Softmax(1)
    assert [value.name for value in graph.inputs] == ["x"]


def test_what_is_true_is_not_made_a_number_and_back():
    greater = ("_greater_scalar", "above", {"scalar": "0"}, ["x"])
    graph = read(X, greater, ("where", "w", {}, ["above", "x", "x"]))
    assert operations(graph) == ["Elementwise", "Where"]


@pytest.mark.parametrize(
    ("node", "growth"),
    [
        (("Reshape", "y", {"shape": "(-1, 1)"}, ["x"]), (3, 0)),
        (("slice_axis", "y", {"axis": "0", "begin": "0", "end": "1"}, ["x"]), (0, 0)),
        (("slice_axis", "y", {"axis": "0", "begin": "0", "end": "2"}, ["x"]), ()),
        (("slice_axis", "y", {"axis": "1", "begin": "1", "end": "None"}, ["x"]), (1, 0)),
        (("tile", "y", {"reps": "(2, 1)"}, ["x"]), (2, 0)),
        (("split", "y", {"axis": "0", "num_outputs": "2"}, ["x"]), ()),
        (("_contrib_arange_like", "y", {"axis": "1"}, ["x"]), (0,)),
        (("transpose", "y", {}, ["x"]), (0, 1)),
    ],
    ids=lambda each: f"{each[0]}{each[2]}" if each and isinstance(each[0], str) else "",
)
def test_what_grows_with_the_batch(node, growth):
    (value,) = read(X, node).outputs
    assert value.growth == growth


def test_a_constant_of_the_batch_is_right_for_one_batch():
    like = ("_contrib_arange_like", "places", {"axis": "0"}, ["x"])
    graph = read(X, like, ("take", "y", {}, ["x", "places"]))
    assert graph.outputs[0].growth == ()
