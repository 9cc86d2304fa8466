"""Each operation that is read, in the source of each target: its numbers are those by NumPy."""

import numpy as np
import pytest

from testbed.operator_cases import CASES
from unified_blocks.files.state_files import write_state
from unified_blocks.porting.interpreter import values_of
from unified_blocks.porting.targets import target_of


def computed(cases):
    """Those cases in which something is computed of what the user gives."""
    return [case for case in cases if case.graph().nodes]


def exact(array):
    """Floating numbers in float64."""
    return array.astype("float64") if array.dtype.kind == "f" else array


@pytest.fixture
def ported(backend, tmp_path):
    """What the source of a graph gives for some inputs, in float64, each as an array."""
    target = target_of(backend.name)

    def run(graph, inputs):
        written = target.write(graph, "Net")
        write_state(written.state, tmp_path / "net.safetensors")
        names = {"__name__": "ported"}
        exec(compile(written.source, "net.py", "exec"), names)
        net = names["load"](str(tmp_path / "net.safetensors"))
        given = [backend.from_numpy(inputs[value.name], "cpu") for value in graph.inputs]
        if backend.name == "torch":
            net.double()
        found = net(*given) if backend.name == "torch" else net(given)
        found = found if isinstance(found, list | tuple) else [found]
        return [backend.to_numpy(each) for each in found]

    return run


@pytest.mark.parametrize("case", computed(CASES), ids=str)
def test_source_computes_what_the_graph_does(case, ported, backend):
    if backend.name == "mxnet":
        pytest.skip("MXNet is what is left")
    graph, inputs = case.graph(), {k: exact(x) for k, x in case.numbers()[1].items()}
    values = values_of(graph, inputs)
    for mine, value in zip(ported(graph, inputs), graph.outputs, strict=True):
        expected = values[value]
        assert mine.shape == expected.shape
        scale = max(np.abs(expected).max(initial=0), 1)
        assert np.abs(mine - expected).max(initial=0) <= 1e-9 * scale
