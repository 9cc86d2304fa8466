"""Recurrent layers of MXNet, and operators of sequences, mean by NumPy what they do there."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.ported import agree, read
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.operations.recurrent import Recurrent

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

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
    graph = agree(x, {"x": sequence(2, 3)})
    assert [node.path for node in graph.nodes] == [("cell_i2h",)] * 3 + [("out",)]
