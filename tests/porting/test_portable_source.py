"""What is written as portable blocks computes what the graph does, on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from testbed.ported import Network, complaints, doubled, example, expected, module_of
from testbed.ported_cases import CASES, own_numbers, residual
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.operations.activations import Elu, LeakyRelu, PRelu, Softmax
from unified_blocks.porting.operations.norms import (
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    ResponseNorm,
)
from unified_blocks.porting.operations.products import Matmul
from unified_blocks.porting.operations.reductions import Reduce
from unified_blocks.porting.operations.shapes import ExpandDims, Squeeze, Transpose
from unified_blocks.porting.operations.slices import Flip
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.portable import write

PORTABLE = [case for case in CASES if case is not own_numbers]


def activations() -> Any:
    """Activations with options, and softmax."""
    net = Network()
    y = net.conv("conv", net.input(3, 5, 5), 4)
    y = net.add("prelu", PRelu(), y, net.numbers("prelu.gamma", 4))
    y = net.add("leaky", LeakyRelu(0.2), y)
    y = net.add("small", LeakyRelu(0.01), net.add("elu", Elu(1.0), y))
    return net.done(net.add("softmax", Softmax(1), y), net.add("log", Softmax(3, log=True), y))


def other_norms() -> Any:
    """Norms that count nothing."""
    net = Network()
    y = net.conv("conv", net.input(3, 5, 5), 4)
    for name, norm in (("group", GroupNorm(2, 1e-5)), ("instance", InstanceNorm(1e-3))):
        y = net.add(name, norm, y, net.numbers(f"{name}.gamma", 4), net.numbers(f"{name}.beta", 4))
    y = net.add("response", ResponseNorm(3, 1e-3, 0.75, 2.0), y)
    weights = net.numbers("layer.gamma", 5), net.numbers("layer.beta", 5)
    return net.done(net.add("layer", LayerNorm(1e-5), y, *weights))


def moves() -> Any:
    """Reductions, axes of length 1, and parts."""
    net = Network()
    x = net.input(4, 6)
    y = net.add("squeeze", Squeeze((2,)), net.add("sum", Reduce("sum", (2,), True), x))
    z = net.add("expand", ExpandDims(1), net.add("mean", Reduce("mean", (2,)), x))
    product = net.add("product", Matmul(), x, net.add("turn", Transpose((0, 2, 1)), x))
    return net.done(y, net.add("flip", Flip((1,)), product), z)


MORE = [activations, other_norms, moves]


@pytest.mark.parametrize("make", PORTABLE + MORE)
def test_what_is_written_computes_what_the_graph_does(
    make: Any, backend_name: str, tmp_path: Any
) -> None:
    graph = doubled(make())
    written = write(graph, divided(graph), name="net")
    net = module_of(written, tmp_path).load(str(tmp_path / "net.safetensors"), backend_name)
    inputs = example(graph, 3)
    given = net(*(ub.from_numpy(inputs[v.name], backend_name) for v in graph.inputs))
    given = given if isinstance(given, tuple | list) else (given,)
    for mine, right in zip(given, expected(graph, inputs), strict=True):
        np.testing.assert_allclose(ub.to_numpy(mine), right, rtol=1e-9, atol=1e-9)
    assert set(ub.state(net)) <= set(written.state)


@pytest.mark.parametrize("make", PORTABLE + MORE)
def test_what_is_written_is_formatted_and_clean(make: Any) -> None:
    pytest.importorskip("ruff")
    graph = make()
    assert complaints(write(graph, divided(graph), name="net").source) == ""


def test_fixed_numbers_are_frozen(backend_name: str, tmp_path: Any) -> None:
    net = Network()
    graph = net.done(net.norm("norm", net.input(3, 4, 4), fixed=True))
    written = write(graph, divided(graph), name="net")
    made = module_of(written, tmp_path).load(str(tmp_path / "net.safetensors"), backend_name)
    trained = {v.name: v.trainable for v in ub.backend_of(made).variables(made)}
    assert not trained["norm.weight"]
    assert trained["norm.bias"]


def test_a_trained_number_of_no_layer_is_an_error() -> None:
    graph = own_numbers()
    with pytest.raises(UnsupportedError, match=r"scale\.factor"):
        write(graph, divided(graph), name="net")


def test_the_names_are_those_of_pytorch() -> None:
    graph = residual()
    state = write(graph, divided(graph), name="net").state
    assert {"features.2.body.1.running_var", "output_.bias"} <= set(state)
