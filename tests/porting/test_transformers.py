"""What transformers of MXNet are made of means by NumPy what it does there."""

import json

import numpy as np
import pytest

import unified_blocks as ub
from testbed.mxnet_symbols import agree, exported, kinds, read
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.mxnet.symbols import symbol_of

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from testbed import sequence_nets as nets
from unified_blocks_mxnet.compat import mx


def normal(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("options", [{}, {"sparse_grad": True}, {"dtype": "float64"}])
@pytest.mark.parametrize("dtype", ["int32", "float64"])
def test_embedding(dtype, options):
    tokens = np.array([[0, 3, 6], [1, 1, 2]], dtype)
    symbol = mx.sym.Embedding(
        mx.sym.var("x"), mx.sym.var("weight"), input_dim=7, output_dim=4, **options
    )
    agree(symbol, {"x": tokens}, {"weight": normal(7, 4)})


def test_embedding_of_an_earlier_version():
    symbol = mx.sym.contrib.SparseEmbedding(
        mx.sym.var("x"), mx.sym.var("weight"), input_dim=7, output_dim=4, deterministic=True
    )
    graph = read(symbol, {"x": np.array([[1, 2]], "int32")}, {"weight": normal(7, 4)})
    assert graph.outputs[0].shape == (1, 2, 4)


@pytest.mark.parametrize("epsilon", [1e-5, 1e-2])
@pytest.mark.parametrize("axis", [-1, 0, 1, 2, -2])
def test_layer_norm(axis, epsilon):
    names = ("x", "gamma", "beta")
    symbol = mx.sym.LayerNorm(*map(mx.sym.var, names), axis=axis, eps=epsilon)
    agree(symbol, {"x": 3 * normal(3, 4, 5) + 1})


def test_the_statistics_of_a_layer_norm_are_refused():
    symbol = mx.sym.LayerNorm(*map(mx.sym.var, "xab"), output_mean_var=True)[0]
    with pytest.raises(UnsupportedError, match="output_mean_var"):
        read(symbol, {"x": normal(2, 4)}, {"a": normal(4), "b": normal(4)})


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 10)])
def test_division_by_the_root_of_the_features(shape):
    agree(mx.sym.contrib.div_sqrt_dim(mx.sym.var("x")), {"x": normal(*shape)})


def in_float32(symbol, inputs):
    """MXNet has no other dtype of these on CPUs."""
    inputs = {name: x.astype("float32") for name, x in inputs.items()}
    return agree(symbol, inputs, tolerance=1e-6)


@pytest.mark.parametrize(("t", "n", "heads", "d"), [(5, 2, 3, 4), (1, 1, 1, 7), (3, 4, 2, 1)])
def test_attention_to_itself(t, n, heads, d):
    x = mx.sym.var("x")
    scores = mx.sym.contrib.interleaved_matmul_selfatt_qk(x, heads=heads)
    in_float32(scores, {"x": normal(t, n, heads * 3 * d)})
    weights = mx.sym.Activation(scores, act_type="tanh")
    context = mx.sym.contrib.interleaved_matmul_selfatt_valatt(x, weights, heads=heads)
    graph = in_float32(context, {"x": normal(t, n, heads * 3 * d)})
    names = [type(node.operation).__name__ for node in graph.nodes]
    assert names.count("SplitHeads") == 1


@pytest.mark.parametrize(("t", "s", "n", "heads", "d"), [(5, 3, 2, 3, 4), (1, 6, 1, 1, 7)])
def test_attention_to_another(t, s, n, heads, d):
    x, memory = mx.sym.var("x"), mx.sym.var("memory")
    scores = mx.sym.contrib.interleaved_matmul_encdec_qk(x, memory, heads=heads)
    inputs = {"x": normal(t, n, heads * d), "memory": normal(s, n, heads * 2 * d, seed=2)}
    in_float32(scores, inputs)
    context = mx.sym.contrib.interleaved_matmul_encdec_valatt(
        memory, mx.sym.Activation(scores, act_type="tanh"), heads=heads
    )
    in_float32(context, inputs)


LENGTHS = {
    -1: [[1, 2, 0], [4, 3, 4]],
    1: [[1, 2, 0, 3], [3, 1, 2, 0]],
    0: [[1, 2, 0, 2], [2, 1, 2, 0], [1, 1, 1, 1]],
}


@pytest.mark.parametrize("temperature", [None, 2.0])
@pytest.mark.parametrize("axis", LENGTHS)
def test_softmax_of_lengths(axis, temperature):
    symbol = mx.sym.softmax(
        mx.sym.var("x"), mx.sym.var("n"), use_length=True, axis=axis, temperature=temperature
    )
    agree(symbol, {"x": normal(2, 3, 4), "n": np.array(LENGTHS[axis], "int32")})


def sentences():
    rng = np.random.default_rng(0)
    return {
        "tokens": rng.integers(0, 13, (2, 6)).astype("float64"),
        "types": rng.integers(0, 2, (2, 6)).astype("float64"),
        "lengths": np.array([4.0, 6.0]),
    }


def test_a_bert_has_a_projection_for_each_of_queries_keys_and_values():
    inputs = {name: x.astype("float32") for name, x in sentences().items()}
    symbol, arrays = exported(nets.BERT(prefix="bert_"), inputs, "float32")
    graph = agree(symbol, inputs, arrays, tolerance=1e-5)
    assert [value.growth[0] for value in graph.outputs] == [1, 1, 1]
    assert kinds(graph).count("Linear") == 2 * 6 + 2
    paths = [node.path[-1] for node in graph.nodes]
    assert "bert_encoderlayer1_selfattention0_query" in paths
    assert all(parameter.data is arrays[parameter.name] for parameter in graph.parameters()
               if parameter.role == "parameter")  # fmt: skip
    # The same in float64, by products that MXNet has there.
    plain, inputs = nets.BERT(plain=True, prefix="bert_"), sentences()
    symbol, _ = exported(plain, inputs)
    exact = {name: array.astype("float64") for name, array in arrays.items()}
    other = agree(symbol, inputs, exact, tolerance=1e-7)
    found, expected = values_of(graph, inputs), values_of(other, inputs)
    for a, b in zip(graph.outputs, other.outputs, strict=True):
        np.testing.assert_allclose(found[a], expected[b], atol=1e-12)


def test_a_transformer_that_translates():
    rng = np.random.default_rng(0)
    inputs = {
        "source": rng.integers(0, 9, (2, 6)).astype("float64"),
        "target": rng.integers(0, 9, (2, 4)).astype("float64"),
    }
    symbol, arrays = exported(nets.Translator(), inputs)
    graph = agree(symbol, inputs, arrays)
    assert graph.outputs[0].shape == (2, 4, 9)
    assert graph.outputs[0].growth == (1, 0, 0)


def test_a_transformer_whose_memory_is_interleaved():
    inputs = {"x": normal(5, 2, 6).astype("float32"), "memory": normal(4, 2, 6).astype("float32")}
    symbol, arrays = exported(nets.MemoryAttention(6, 2), inputs, "float32")
    agree(symbol, inputs, arrays, tolerance=1e-5)


OPTIONS = {
    "RNN": {"state_size": "3", "num_layers": "1", "mode": "gru"},
    "_rnn_param_concat": {"num_args": "2", "dim": "0"},
}
SHAPES = {
    "RNN": [(4, 2, 3), (72,), (1, 2, 3)],
    "_rnn_param_concat": [(4,), (5,)],
    "SequenceMask": [(4, 2, 3)],
    "SequenceLast": [(4, 2, 3)],
    "SequenceReverse": [(4, 2, 3)],
    "Embedding": [(2, 3), (7, 4)],
    "LayerNorm": [(2, 3), (3,), (3,)],
    "_contrib_interleaved_matmul_selfatt_qk": [(5, 2, 24)],
    "_contrib_interleaved_matmul_selfatt_valatt": [(5, 2, 24), (4, 5, 5)],
    "_contrib_interleaved_matmul_encdec_qk": [(5, 2, 8), (3, 2, 16)],
    "_contrib_interleaved_matmul_encdec_valatt": [(3, 2, 16), (4, 5, 3)],
}


@pytest.mark.parametrize("operator", SHAPES)
def test_an_option_that_is_not_known_is_refused(operator):
    shapes = SHAPES[operator]
    names = [f"x{i}" for i in range(len(shapes))]
    nodes = [{"op": "null", "name": name, "inputs": []} for name in names]
    options = dict(OPTIONS.get(operator, {"heads": "2"} if "matmul" in operator else {}))
    taken = [[i, 0, 0] for i in range(len(shapes))]
    nodes.append({"op": operator, "name": "node", "attrs": options, "inputs": taken})
    given = dict(zip(names[:1], shapes[:1], strict=True))
    if "matmul" in operator:
        given = dict(zip(names, shapes, strict=True))
    arrays = {name: normal(*shape) for name, shape in zip(names, shapes, strict=True)
              if name not in given}  # fmt: skip
    inputs = {name: (shape, "float64") for name, shape in given.items()}

    def graph():
        text = json.dumps({"nodes": nodes, "heads": [[len(shapes), 0, 0]]})
        return read_graph(Source("Net", symbol_of(text), arrays), inputs)

    assert graph().outputs
    options["invented"] = "1"
    with pytest.raises(UnsupportedError, match="invented=1"):
        graph()
