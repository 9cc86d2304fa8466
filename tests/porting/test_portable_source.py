"""What is written as portable blocks computes what the graph does, on every backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unified_blocks as ub
from testbed.ported import Network, complaints, doubled, example, expected, module_of
from testbed.ported_cases import CASES, own_numbers, residual
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.portable import write

PORTABLE = [case for case in CASES if case is not own_numbers]


@pytest.mark.parametrize("make", PORTABLE)
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


@pytest.mark.parametrize("make", PORTABLE)
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
