"""Operators of `mx.np` and `mx.npx`: each is read, computed, and compared with MXNet."""

import numpy as np
import pytest

import unified_blocks as ub
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.mxnet.handlers.numpy_names import ALIKE
from unified_blocks.porting.mxnet.reader import Source, read_graph
from unified_blocks.porting.mxnet.reading import HANDLERS
from unified_blocks.porting.mxnet.symbols import symbol_of

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet.compat import mx, numpy_semantics

RNG = np.random.default_rng(0)
X, Y = RNG.uniform(0.5, 2, size=(2, 3, 4)), RNG.uniform(0.5, 2, size=(2, 3, 4))
MATRIX = RNG.normal(size=(4, 3))
CASES = {
    **{
        name: lambda F, x, y, name=name: getattr(F.np, name)(x)
        for name in (
            *("square", "sqrt", "abs", "exp", "log", "tanh", "sin", "sign", "floor", "ceil"),
            *("trunc", "expm1", "log1p", "reciprocal", "negative"),
        )
    },
    "operators": lambda F, x, y: (x + y) * (x - y) / (x**y) % y,
    "numbers": lambda F, x, y: 2 - (3 / (x * 2 + 1 - y / 4) ** 2) % 2 + 2**x + 5 % y + (-x),
    "comparisons": lambda F, x, y: (x > y) * x + (x >= 1) * y + (x < y) + (x <= 2) + (x == y),
    "extremes": lambda F, x, y: F.np.maximum(x, y) + F.np.minimum(x, 1) + F.np.clip(y, 1, 1.5),
    "sums": lambda F, x, y: F.np.sum(x, axis=1, keepdims=True) + F.np.max(y) - F.np.mean(x),
    "more sums": lambda F, x, y: F.np.prod(x, axis=(0, 1)) + F.np.min(y, axis=-1).sum(),
    "spread": lambda F, x, y: F.np.var(x, axis=1) + F.np.std(y, axis=1) * F.np.var(y, ddof=1),
    "places": lambda F, x, y: F.np.argmax(x, axis=1),
    "shapes": lambda F, x, y: F.np.reshape(F.np.transpose(x, (2, 0, 1)), (4, -1)),
    "axes": lambda F, x, y: F.np.squeeze(F.np.expand_dims(F.np.moveaxis(x, 0, 2), 0)),
    "turned": lambda F, x, y: F.np.swapaxes(x, 0, 1).T,
    "codes": lambda F, x, y: F.npx.reshape(F.npx.reshape(x, (-2, -5)), (-6, 1, 2, -4)),
    "left out": lambda F, x, y: F.npx.reshape(F.np.expand_dims(x, 0), (-3, -1)),
    "parts": lambda F, x, y: x[:, 1:] + y[:, ::2] + x[0, 0] * y[1, 1:2, 3],
    "together": lambda F, x, y: F.np.stack([F.np.concatenate([x, y], axis=1)] * 2, axis=1),
    "rows": lambda F, x, y: F.np.concatenate([F.np.vstack([x, y]), F.np.hstack([x, y])[:, :3]]),
    "split": lambda F, x, y: F.np.split(x, 2, axis=2)[1],
    "copies": lambda F, x, y: F.np.tile(x, (1, 2, 1)) + F.np.repeat(y, 2, axis=1),
    "wider": lambda F, x, y: F.np.broadcast_to(x[0], (2, 3, 4)) + F.np.flip(y, 1),
    "padded": lambda F, x, y: F.np.pad(x, ((0, 0), (1, 2), (0, 1))),
    "reflected": lambda F, x, y: F.np.pad(x, ((0, 0), (0, 0), (1, 2)), mode="reflect"),
    "like": lambda F, x, y: F.np.ones_like(x) + F.np.zeros_like(y) + F.np.full_like(y, 2),
    "made": lambda F, x, y: x + F.np.arange(4) * F.np.ones((3, 1)) + F.np.linspace(0, 1, 4),
    "where": lambda F, x, y: F.np.where(x > y, x, y) + F.np.where(x > 1, x, 0),
    "where of numbers": lambda F, x, y: F.np.where(x > 1, 2, y) + F.np.where(x > y, 1, 0),
    "products": lambda F, x, y: F.np.matmul(x, F.np.swapaxes(y, 1, 2)),
    "batches": lambda F, x, y: F.npx.batch_dot(x, y, transpose_b=True),
    "tensordot": lambda F, x, y: F.np.tensordot(x, y[0], axes=([2], [1])),
    "dot": lambda F, x, y: F.np.dot(x, y[0].T) + F.np.tensordot(x, y[1].T, axes=1),
    "activations": lambda F, x, y: F.npx.relu(x) + F.npx.sigmoid(y) + F.npx.softmax(x),
    "more activations": lambda F, x, y: F.npx.leaky_relu(x, act_type="gelu") + F.npx.erf(y),
}


@pytest.fixture(autouse=True)
def of_mxnet(backend_name):
    if backend_name != "mxnet":
        pytest.skip("these are operators of MXNet's")


def read(function, *inputs):
    class Net(mx.gluon.HybridBlock):
        def hybrid_forward(self, F, x, y):
            return function(F, x, y)

    with numpy_semantics():
        traced = ub.get_backend("mxnet").trace(Net(), inputs)
    source = Source(traced.name, symbol_of(traced.graph), traced.arrays)
    return traced, read_graph(source, traced.inputs)


@pytest.mark.parametrize("case", CASES)
def test_each_node_gives_what_mxnet_gives(case):
    traced, graph = read(CASES[case], X, Y)
    given = {"data0": X, "data1": Y}
    theirs = ub.get_backend("mxnet").evaluate(traced.graph, {}, given).values
    mine = values_of(graph, given)
    assert graph.outputs[0].name in theirs
    for node in graph.nodes:
        for value in node.outputs:
            if value.name in theirs:
                assert mine[value].shape == theirs[value.name].shape == value.shape
                np.testing.assert_allclose(mine[value], theirs[value.name], rtol=1e-6, atol=1e-9)


def test_the_quotient_of_whole_numbers_is_none():
    _, graph = read(lambda F, x, y: x / y + x / 2, *(np.arange(1, 5).reshape(2, 2),) * 2)
    assert graph.outputs[0].dtype == "float32"


def test_each_stands_for_a_handler():
    assert set(ALIKE.values()) <= set(HANDLERS)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda F, x, y: F.np.sum(x, dtype="float64"), "dtype=float64"),
        (lambda F, x, y: F.np.matmul(x, y[0, 0]), "a product of"),
        (lambda F, x, y: F.np.tensordot(x, y, axes=([0, 1], [0, 1])), "over several axes"),
        (lambda F, x, y: F.np.einsum("abc,abc->a", x, y), "operator _npi_einsum"),
    ],
)
def test_what_has_no_meaning_is_an_error(function, why):
    with pytest.raises(UnsupportedError, match=why):
        read(function, X, Y)
