"""Recurrent layers of MXNet, and operators of sequences, mean by NumPy what they do there."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.mxnet_symbols import agree, arrays_of, exported, kinds, read
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.operations.convolutions import Linear
from unified_blocks.porting.operations.recurrent import Recurrent
from unified_blocks.porting.passes import prepared

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed import sequence_nets as nets
from unified_blocks_mxnet.compat import mx

MODES = ["rnn_relu", "rnn_tanh", "lstm", "gru"]


def sequence(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def layer_of(graph):
    (found,) = [node for node in graph.nodes if isinstance(node.operation, Recurrent)]
    return found


def fused(mode, x, states=2, **options):
    names = ("state", "state_cell") if mode == "lstm" else ("state",)
    begin = {name: mx.sym.var(name) for name in names[:states]}
    return mx.sym.RNN(x, mx.sym.var("parameters"), mode=mode, **begin, **options)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("mode", MODES)
def test_a_fused_layer_unpacks_its_vector(mode, layers, bidirectional):
    options = {"state_size": 5, "num_layers": layers, "bidirectional": bidirectional, "p": 0.5}
    symbol = fused(mode, mx.sym.var("data"), state_outputs=True, **options)
    count = layers * (1 + bidirectional)
    inputs = {"data": sequence(4, 2, 3)}
    for name in ("state", "state_cell")[: 1 + (mode == "lstm")]:
        inputs[name] = sequence(count, 2, 5, seed=len(name))
    graph = agree(symbol, inputs, tolerance=1e-7 if mode == "rnn_relu" else 1e-9)
    node = layer_of(graph)
    assert node.operation.states
    assert node.operation.dropout == 0.5
    names = [parameter.name for parameter in graph.parameters()]
    assert names[:4] == [
        "parameters.weight_ih_l0",
        "parameters.weight_hh_l0",
        "parameters.bias_ih_l0",
        "parameters.bias_hh_l0",
    ]
    assert len(names) == 4 * count


@pytest.mark.parametrize(
    "option",
    [{"projection_size": 2}, {"lstm_state_clip_min": -1.0, "lstm_state_clip_max": 1.0}],
    ids=["projection_size", "lstm_state_clip"],
)
def test_what_no_other_framework_has_is_refused(option):
    symbol = fused("lstm", mx.sym.var("data"), state_size=3, num_layers=1, **option)
    begin = {name: sequence(1, 2, 3) for name in ("state", "state_cell")}
    with pytest.raises(UnsupportedError, match=f"{next(iter(option))}|projection"):
        read(symbol, {"data": sequence(4, 2, 3), **begin}, {"parameters": sequence(84)})


def test_a_vector_that_does_not_fit_is_an_error():
    symbol = fused("gru", mx.sym.var("data"), state_size=3, num_layers=1)
    inputs = {"data": sequence(4, 2, 2), "state": sequence(1, 2, 3)}
    with pytest.raises(ub.InputError, match="62 parameters where 63 must be for 2 features"):
        read(symbol, inputs, {"parameters": sequence(62)})


LENGTHS = np.array([1.0, 4, 3])


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (4, 3, 2, 5)])
@pytest.mark.parametrize("value", [0.0, -1.5])
@pytest.mark.parametrize("axis", [0, 1])
def test_sequence_mask(axis, value, shape):
    x = sequence(*shape).swapaxes(0, axis)
    symbol = mx.sym.SequenceMask(
        mx.sym.var("x"), mx.sym.var("n"), use_sequence_length=True, axis=axis, value=value
    )
    agree(symbol, {"x": x, "n": LENGTHS}, tolerance=1e-7)


def test_sequence_mask_of_lengths_outside():
    symbol = mx.sym.SequenceMask(mx.sym.var("x"), mx.sym.var("n"), use_sequence_length=True)
    agree(symbol, {"x": sequence(4, 3, 2), "n": np.array([0.0, 9, 2])}, tolerance=1e-7)


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 2), (4, 3, 2, 5)])
@pytest.mark.parametrize("with_lengths", [False, True])
@pytest.mark.parametrize(("operator", "axis"), [("Last", 0), ("Last", 1), ("Reverse", 0)])
def test_the_last_and_the_reverse_of_sequences(operator, axis, with_lengths, shape):
    x, inputs = mx.sym.var("x"), {"x": sequence(*shape).swapaxes(0, axis)}
    lengths = [mx.sym.var("n")] if with_lengths else []
    symbol = getattr(mx.sym, f"Sequence{operator}")(
        x, *lengths, axis=axis, use_sequence_length=with_lengths
    )
    agree(symbol, {**inputs, "n": LENGTHS} if with_lengths else inputs)


def test_a_mask_without_lengths_is_nothing():
    x = mx.sym.var("x")
    graph = agree(
        mx.sym.Activation(mx.sym.SequenceMask(x, value=3), act_type="tanh"),
        {"x": sequence(4, 3, 2)},
    )
    assert len(graph.nodes) == 1


def test_the_steps_of_a_cell_are_calls_of_one_layer():
    weight, bias = mx.sym.var("cell_i2h_weight"), mx.sym.var("cell_i2h_bias")
    x = mx.sym.var("x")
    for step in range(3):
        x = mx.sym.FullyConnected(x, weight, bias, num_hidden=3, name=f"cell_t{step}_i2h")
    x = mx.sym.FullyConnected(x, num_hidden=2, name="out")
    graph = prepared(agree(x, {"x": sequence(2, 3)}))
    first, *others, last = [node.path for node in graph.nodes]
    assert others == [first, first]
    assert last == ("out",)


LAYERS = {"LSTM": {}, "GRU": {}, "RNN": {"activation": "tanh"}}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layout", ["NTC", "TNC"])
@pytest.mark.parametrize("layer", LAYERS)
def test_the_arrays_of_a_gluon_layer_are_its_parameters(layer, layout, bidirectional):
    net = nets.LanguageModel(
        getattr(mx.gluon.rnn, layer), layout, bidirectional=bidirectional, **LAYERS[layer]
    )
    inputs = {"data": np.random.default_rng(0).integers(0, 11, (4, 3)).astype("float64")}
    symbol, arrays = exported(net, inputs)
    graph = agree(symbol, inputs, arrays)
    assert kinds(graph) == ["Cast", "Embedding", "Recurrent", "Linear"]
    node = layer_of(graph)
    assert node.operation.batch_first == (layout == "NTC")
    assert not node.operation.states
    assert all(each.data is arrays[each.name] for each in node.parameters)
    first = [each.name.partition("_")[2].partition("_")[2] for each in node.parameters[:4]]
    assert first == ["l0_i2h_weight", "l0_h2h_weight", "l0_i2h_bias", "l0_h2h_bias"]
    assert graph.outputs[0].growth == (1, 0, 0)


def test_the_states_of_a_gluon_layer_are_inputs_and_outputs():
    layer = mx.gluon.rnn.LSTM(5, layout="NTC", input_size=3)
    layer.initialize()
    layer.cast("float64")
    y, states = layer(mx.sym.var("x"), [mx.sym.var("h"), mx.sym.var("c")])
    arrays = {name: each.data().asnumpy() for name, each in layer.collect_params().items()}
    inputs = {"x": sequence(2, 4, 3), "h": sequence(1, 2, 5), "c": sequence(1, 2, 5, seed=2)}
    graph = agree(mx.sym.Group([y, *states]), inputs, arrays)
    assert kinds(graph) == ["Recurrent"]
    assert layer_of(graph).operation.states


CELLS = {
    "LSTM": lambda: mx.rnn.LSTMCell(4, prefix="cell_"),
    "GRU": lambda: mx.rnn.GRUCell(4, prefix="cell_"),
    "RNN": lambda: mx.rnn.RNNCell(4, prefix="cell_"),
    "both": lambda: mx.rnn.BidirectionalCell(
        mx.rnn.LSTMCell(4, prefix="cell_"), mx.rnn.LSTMCell(4, prefix="other_")
    ),
    "stack": lambda: mx.rnn.FusedRNNCell(4, 2, mode="gru", prefix="cell_").unfuse(),
    "residual": lambda: mx.rnn.ResidualCell(mx.rnn.LSTMCell(3, prefix="cell_")),
}


@pytest.mark.parametrize("layout", ["NTC", "TNC"])
@pytest.mark.parametrize("cell", CELLS)
def test_cells_that_were_unrolled(cell, layout):
    shape = (2, 5, 3) if layout == "NTC" else (5, 2, 3)
    graph = prepared(agree(nets.unrolled(CELLS[cell](), 5, layout), {"data": sequence(*shape)}))
    products = [node.path for node in graph.nodes if isinstance(node.operation, Linear)]
    layers = {"both": 4, "stack": 4}.get(cell, 2)
    assert len(set(products)) == layers + 1
    assert len(products) == 5 * layers + 1


@pytest.mark.parametrize("layout", ["NTC", "TNC"])
@pytest.mark.filterwarnings("ignore:NTC layout:UserWarning")
def test_a_fused_cell_of_the_time_of_module(layout):
    cell = mx.rnn.FusedRNNCell(4, 2, mode="lstm", bidirectional=True, prefix="lstm_")
    shape = (2, 5, 3) if layout == "NTC" else (5, 2, 3)
    graph = agree(nets.unrolled(cell, 5, layout), {"data": sequence(*shape)})
    assert kinds(graph) == ["Recurrent", "Linear"]
    assert layer_of(graph).operation.batch_first == (layout == "NTC")


def test_gates_are_in_the_order_of_the_graph_and_the_loss_is_cut():
    loss, scores = nets.reader_of_lines()
    inputs = {"data": sequence(2, 24)}
    for i, name in enumerate(("forward", "backward")):
        inputs |= {f"{name}_init_{state}": sequence(2, 5, seed=i) for state in "hc"}
    shapes = {name: x.shape for name, x in inputs.items()}
    arrays = arrays_of(scores, shapes)
    graph = prepared(agree(scores, inputs, arrays))
    assert kinds(prepared(read(loss, inputs, arrays))) == kinds(graph)
    assert {"forward_i2h", "forward_h2h", "backward_i2h"} <= {n.path[0] for n in graph.nodes}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn_tanh"])
def test_lengths_mean_what_they_do_to_blocks(cell, bidirectional):
    layer = Recurrent(cell, 5, num_layers=2, bidirectional=bidirectional, lengths=True)
    state = {name: sequence(*shape, seed=i) for i, (name, shape) in
             enumerate(layer.shapes(3).items())}  # fmt: skip
    kind = {"lstm": ub.LSTM, "gru": ub.GRU, "rnn_tanh": ub.RNN}[cell]
    block = kind(5, 2, bidirectional=bidirectional, return_state=True)
    x, lengths = sequence(3, 4, 3), np.array([4, 1, 3])
    expected, states = block.reference(state, x, lengths=lengths)
    y, *after = layer.compute(x.swapaxes(0, 1), *state.values(), lengths)
    np.testing.assert_allclose(y.swapaxes(0, 1), expected, atol=1e-12)
    states = states if isinstance(states, tuple) else (states,)
    for found, known in zip(after, states, strict=True):
        np.testing.assert_allclose(found, known, atol=1e-12)
