"""A step of training moves the same numbers of a network of sequences as it does in MXNet."""

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.porting.watching import Running, arrays_in

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed import sequence_nets as nets
from testbed.mxnet_symbols import arrays_of
from unified_blocks_mxnet.compat import mx

RATE = 0.01


@pytest.fixture(autouse=True)
def of_targets(backend_name):
    if backend_name == "mxnet":
        pytest.skip("it is what networks come from")


def tokens(count, *shape):
    return np.random.default_rng(0).integers(0, count, shape).astype("int32")


def language_model(layer, **options):
    return lambda: nets.LanguageModel(getattr(mx.gluon.rnn, layer), "NTC", **options)


NETS = {
    "LSTM": (language_model("LSTM"), (tokens(11, 3, 5),)),
    "two LSTMs": (language_model("LSTM", bidirectional=True), (tokens(11, 3, 5),)),
    "GRU": (language_model("GRU", bidirectional=True), (tokens(11, 3, 5),)),
    "RNN": (language_model("RNN", activation="tanh"), (tokens(11, 3, 5),)),
    "BERT": (
        lambda: nets.BERT(plain=True, activation="tanh"),
        (tokens(13, 2, 6), tokens(2, 2, 6), np.array([4, 6], "float32")),
    ),
    "Translator": (nets.Translator, (tokens(9, 2, 6), tokens(9, 2, 4))),
}


def by_mxnet(port, arrays, inputs, weights=None):
    """What MXNet computes of the network in float64: its outputs, and gradients by its arrays."""
    text, found = port.network.text, ub.get_backend("mxnet")
    made = found.evaluate(text, arrays, inputs, "float64", weights)
    return [made.values[value.name] for value in port.graph.outputs], made.gradients


def stepped_on_torch(net, inputs, weights):
    """The parameters after a step, by name."""
    outputs = net(*inputs)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    loss = sum((y * y.new_tensor(w)).sum() for y, w in zip(outputs, weights, strict=True))
    loss.backward()
    return {
        name: (each - RATE * each.grad).detach().numpy() for name, each in net.named_parameters()
    }


@pytest.mark.parametrize("name", NETS)
def test_a_step_of_training(name, backend):
    make, example = NETS[name]
    net = make()
    net.initialize(mx.init.Normal(0.5))
    port = ub.port(net, backend.name, example=example)
    inputs = {name: x.astype("float64") if x.dtype.kind == "f" else x
              for name, x in port.inputs.items()}  # fmt: skip
    arrays = {name: array.astype("float64") for name, array in port.network.arrays.items()}
    outputs, _ = by_mxnet(port, arrays, inputs)
    weights = [np.random.default_rng(1).normal(size=y.shape) for y in outputs]
    _, gradients = by_mxnet(port, arrays, inputs, weights)
    running = Running(port)
    given = running.tensors(inputs)
    if backend.name == "torch":
        after = stepped_on_torch(running.net, given, weights)
        for array, gradient in gradients.items():
            if array not in inputs:
                expected = arrays[array] - RATE * gradient
                np.testing.assert_allclose(after[port.names[array]], expected, rtol=0, atol=1e-9)
        return
    # A layer of Keras may have one bias where there are two: it moves as one of them does.
    single = ("LSTM", "two LSTMs", "RNN")
    moved = {
        each: array - RATE * gradients[each] * (not (name in single and "h2h_bias" in each))
        for each, array in arrays.items()
    }
    step_of_keras(running.net, given, weights)
    expected, _ = by_mxnet(port, moved, inputs)
    found = arrays_in(backend, backend.run(running.net, given))
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-9)


def step_of_keras(net, inputs, weights):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        outputs = net(inputs if len(inputs) > 1 else inputs[0])
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        loss = sum(tf.reduce_sum(y * w) for y, w in zip(outputs, weights, strict=True))
    variables = net.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        variable.assign_sub(RATE * tf.convert_to_tensor(gradient))


def of_symbol(symbol, **inputs):
    """A network in memory, as one in files: its symbol, arrays, and an example."""
    arrays = arrays_of(symbol, {name: x.shape for name, x in inputs.items()})
    return symbol, {name: x.astype("float32") for name, x in arrays.items()}, inputs


def sequence(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def lines():
    begin = {f"{name}_init_{state}": sequence(2, 5)
             for name in ("forward", "backward") for state in "hc"}  # fmt: skip
    return of_symbol(nets.reader_of_lines()[1], data=sequence(2, 24), **begin)


SYMBOLS = {
    "LSTM cell": lambda: of_symbol(
        nets.unrolled(mx.rnn.LSTMCell(4, prefix="cell_"), 3), data=sequence(2, 3, 3)
    ),
    "GRU cell, steps first": lambda: of_symbol(
        nets.unrolled(mx.rnn.GRUCell(4, prefix="cell_"), 3, "TNC"), data=sequence(3, 2, 3)
    ),
    "fused": lambda: of_symbol(
        nets.unrolled(mx.rnn.FusedRNNCell(4, 2, prefix="lstm_", bidirectional=True), 3, "TNC"),
        data=sequence(3, 2, 3),
    ),
    "lines": lines,
}


@pytest.mark.parametrize("name", SYMBOLS)
def test_a_network_of_the_time_of_module(name, backend, tmp_path):
    symbol, arrays, example = SYMBOLS[name]()
    (tmp_path / "net-symbol.json").write_text(symbol.tojson())
    port = ub.port(tmp_path / "net-symbol.json", backend.name, params=arrays, example=example)
    port.prove().raise_if_wrong()


def test_a_bert_is_written_as_a_person_would(backend):
    net = nets.BERT()
    net.initialize(mx.init.Normal(0.5))
    port = ub.port(net, backend.name, example=NETS["BERT"][1])
    port.prove().raise_if_wrong()
    expected = {
        "torch": "self.query = nn.Linear(8, 8)",
        "tensorflow": 'layers.Dense(8, name=f"{name}.query")',
    }
    assert expected[backend.name] in port.source
    assert "layers.1.attention.query" in port.layers
