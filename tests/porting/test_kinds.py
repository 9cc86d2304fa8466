"""Networks of the kinds that people hold, ported from files: each layer is as MXNet has it."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.ports import target
from unified_blocks.porting.interpreter import values_of

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed.network_kinds import KINDS
from unified_blocks_mxnet.compat import mx

NOT_PORTABLE = {"bert": "bert_position_weight is trained", "yolo": "BoxSuppression"}
"""What stands in the way of a portable block."""
NARROW = {"proposals", "pyramid", "by_hash", "bert"}
"""Of operators that MXNet computes in float32 alone: the interpreter is the strict judge."""


@pytest.fixture(scope="module")
def held(tmp_path_factory):
    """Each kind, made once."""
    made = {}

    def get(kind):
        if kind not in made:
            made[kind] = KINDS[kind](tmp_path_factory.mktemp(kind))
        return made[kind]

    return get


@pytest.fixture
def ported(held, backend_name):
    """The port of a kind to the framework of the test: to MXNet's own, as portable blocks."""

    def port(kind, **options):
        return ub.port(
            held(kind).graph, target(backend_name), example=held(kind).example, **options
        )

    with ub.use_backend(backend_name):
        yield port


def written(held):
    """The JSON of a network, and its nodes by name."""
    content = json.loads(held.graph.read_text())
    return content, {node["name"]: node for node in content["nodes"]}


def layers(port):
    return {row.layer for row in port.proof.rows}


@pytest.mark.parametrize("kind", NOT_PORTABLE)
def test_what_portable_blocks_have_no_words_for_is_named(kind, held):
    with pytest.raises(ub.UnsupportedError, match=NOT_PORTABLE[kind]):
        ub.port(held(kind).graph, "unified_blocks", example=held(kind).example)


@pytest.mark.parametrize("kind", KINDS)
def test_each_layer_is_as_mxnet_has_it(kind, ported, backend_name):
    if backend_name == "mxnet" and kind in NOT_PORTABLE:
        pytest.skip("it is no portable block")
    port = ported(kind)
    proof = port.proof
    proof.raise_if_wrong()
    assert proof.judges == (
        "MXNet 1.9.1 in float32" if kind in NARROW else "MXNet 1.9.1", "NumPy",
    )  # fmt: skip
    assert {row.judged[0].judge for row in proof.rows if row.is_output} == {proof.judges[0]}
    assert not proof.notes
    strict = [each for row in proof.rows for each in row.judged if each.judge == "NumPy"]
    assert max(each.error for each in strict) < 1e-7  # of what a framework has in float32
    if port.target.name == "torch":
        assert max(each.error for each in strict) < 1e-12


def test_in_float32_it_gives_what_the_module_gave(held, ported, backend):
    """Its label is no input, and its prediction is that of the Module that trained it."""
    port, kind = ported("classifier"), held("classifier")
    symbol, arrays, aux = mx.model.load_checkpoint(str(kind.graph).removesuffix("-symbol.json"), 2)
    module = mx.mod.Module(symbol)
    batch = mx.io.NDArrayIter(kind.example["data"], np.zeros(2), batch_size=2)
    module.bind(batch.provide_data, batch.provide_label, for_training=False)
    module.set_params(arrays, aux)
    expected = module.predict(batch).asnumpy()
    assert [value.name for value in port.graph.inputs] == ["data"]
    order = port.turned.get(port.graph.inputs[0], (0, 1, 2, 3))
    x = np.ascontiguousarray(kind.example["data"].transpose(order))
    found = ub.to_numpy(backend.run(port.net, [backend.from_numpy(x)]))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_a_gamma_that_is_fixed_is_one_and_stays_so(held, ported):
    port = ported("pyramid")
    arrays = mx.nd.load(str(held("pyramid").params))
    assert arrays["arg:stage0_bn_gamma"].asnumpy().tolist() == [np.float32(0.3)] * 4
    assert any(each.startswith("not trained, as in the original: 10") for each in port.decisions)
    gammas = [p for p in port.graph.parameters() if p.name.endswith("gamma")]
    assert len(gammas) == 10
    assert all(p.role == "frozen" and (p.data == 1).all() for p in gammas)
    if port.target.name == "torch":
        known = dict(port.net.named_parameters())
        assert not any(known[port.names[p.name]].requires_grad for p in gammas)


def test_the_order_of_the_arrays_in_the_file_is_nothing(ported):
    one, other = ported("pyramid"), ported("by_hash")
    assert one.source == other.source
    assert one.state.keys() == other.state.keys()
    for name, array in one.state.items():
        np.testing.assert_array_equal(array, other.state[name])


def test_files_of_earlier_versions_are_the_same_network(held, ported):
    content, nodes = written(held("of_0_8"))
    assert "attrs" not in content
    assert len(nodes["bn0"]["inputs"]) == 3
    assert {len(each) for node in nodes.values() for each in node["inputs"]} == {2}
    assert nodes["conv0"]["attr"] == {"lr_mult": "0.5"}
    assert not {"bn0_moving_mean", "bn0_moving_var"} & nodes.keys()
    assert "attr" in written(held("of_0_12"))[1]["bn0"]
    old, newer = ported("of_0_8"), ported("of_0_12")
    assert old.source == newer.source
    for name, array in newer.state.items():
        np.testing.assert_array_equal(old.state[name], array)


def test_statistics_that_are_missing_are_named(held, backend_name):
    kind = held("of_0_8")
    arrays = mx.nd.load(str(kind.params))
    del arrays["aux:bn1_moving_var"]
    with pytest.raises(ub.StateMismatchError, match="'bn1_moving_var' is missing"):
        ub.port(kind.graph, target(backend_name), params=arrays, example=kind.example)


def test_an_operator_of_a_plugin_is_what_it_is_in_use(ported):
    port = ported("text_line")
    assert "warpctc0, a WarpCTC, gives what it gives in use: it has no label" in port.decisions
    scores, probabilities = ported("text_line", outputs=["pred_fc"]), port
    scores.proof.raise_if_wrong()
    x = probabilities.inputs
    found, raw = (values_of(p.graph, x)[p.graph.outputs[0]] for p in (probabilities, scores))
    expected = np.exp(raw) / np.exp(raw).sum(-1, keepdims=True)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_layers_of_gluon_are_called_as_they_were(ported):
    assert {"embedding0", "gru0", "dense0"} <= {n.split(".")[0] for n in ported("tagger").state}


def test_units_that_are_named_are_blocks(ported):
    """Though their sums have no name that tells so."""
    layers = {".".join(name.split(".")[:2]) for name in ported("identity").state}
    assert {"stage1.unit1", "stage1.unit2"} <= layers
    assert not any(name.startswith("pre.") for name in layers)


def test_layers_of_a_transformer_are_blocks(ported, backend_name):
    if backend_name == "mxnet":
        pytest.skip("it is no portable block")
    port = ported("bert")
    blocks = {name.split(".")[0] for name in port.state}
    assert {"encoderlayer0", "encoderlayer1"} <= blocks
    assert "encoderlayer0_" not in port.source


@pytest.mark.skipif("tensorflow" not in ub.available_backends(), reason="no other judge")
@pytest.mark.skipif("torch" not in ub.available_backends(), reason="no other judge")
def test_a_layer_that_is_called_again_is_judged_by_the_other_target(ported, monkeypatch):
    """They may call it in another order."""
    from unified_blocks.porting import proving

    port = ported("text_line")
    if port.target.name == "unified_blocks":
        pytest.skip("it is judged by two others then")
    monkeypatch.setattr(proving, "original_is_here", lambda: False)
    port.prove().raise_if_wrong()
