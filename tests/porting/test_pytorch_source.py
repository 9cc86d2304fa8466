"""What is written for PyTorch computes what the graph does, and reads as written by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from testbed.ported import Network, complaints, example, expected, module_of
from testbed.ported_cases import CASES, parallel, residual
from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.structure import divided
from unified_blocks.porting.writing.pytorch import write

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("make", CASES)
@pytest.mark.parametrize("batch", [2, 3])
def test_what_is_written_computes_what_the_graph_does(make: Any, batch: int, tmp_path: Any) -> None:
    graph = make()
    written = write(graph, divided(graph), name="net")
    net = module_of(written, tmp_path).load(str(tmp_path / "net.safetensors")).double()
    inputs = example(graph, batch)
    given = net(*(torch.from_numpy(inputs[value.name]) for value in graph.inputs))
    given = given if isinstance(given, tuple) else (given,)
    for mine, right in zip(given, expected(graph, inputs), strict=True):
        np.testing.assert_allclose(mine.detach().numpy(), right, rtol=1e-9, atol=1e-9)
    assert set(net.state_dict()) >= set(written.state)


@pytest.mark.parametrize("make", CASES)
def test_what_is_written_is_formatted_and_clean(make: Any) -> None:
    pytest.importorskip("ruff")
    graph = make()
    assert complaints(write(graph, divided(graph), name="net").source) == ""


def test_the_names_are_those_of_the_blocks() -> None:
    graph = residual()
    written = write(graph, divided(graph), name="net")
    assert "features.2.body.1.running_var" in written.state
    assert written.names["features.2.body.1.gamma"] == "features.2.body.1.weight"
    assert written.layers["features.2.body"][0].value.shape == (2, 4, 8, 8)
    assert written.layers["output"][0].value is graph.outputs[0]


def test_what_differs_becomes_arguments() -> None:
    graph = residual()
    source = write(graph, divided(graph), name="net").source
    assert source.count("class Residual") == 2
    assert "class ResidualShortcut(nn.Module):" in source
    assert "*(Residual(4) for _ in range(2))" in source


def test_numbers_that_progress_become_a_loop() -> None:
    graph = parallel()
    assert "3 + 4 * i" in write(graph, divided(graph), name="net").source


def test_an_operation_without_a_word_is_an_error_that_names_all() -> None:
    class Unknown(Operation):
        def infer(self, *inputs: Any) -> Any:
            return [(inputs[0].shape, inputs[0].dtype)]

    net = Network()
    graph = net.done(net.add("b", Unknown(), net.add("a", Unknown(), net.input(3))))
    with pytest.raises(UnsupportedError, match=r"(?s)a_0: Unknown.*b_1: Unknown"):
        write(graph, divided(graph), name="net")
