"""Each operation that is read, in the source of each target: its numbers are those by NumPy."""

import shutil
import subprocess
from itertools import count

import numpy as np
import pytest

import unified_blocks as ub
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


def moved(written, value, array):
    """The numbers of a value as they lie in the target."""
    order = written.turned.get(value)
    return array if order is None else np.ascontiguousarray(array.transpose(order))


INEXACT = {
    ("tensorflow", operator): 1e-7
    for operator in ("LeakyReLU", "_mod_scalar", "_rmod_scalar", "_ModScalar", "_RModScalar")
}
"""TensorFlow's slope is held in float32, and so is the number that Keras' `mod` is given."""


@pytest.fixture
def ported(backend, tmp_path):
    """What the source of a graph gives for some inputs, in float64, each as an array."""
    if backend.name == "mxnet":
        pytest.skip("MXNet is what is left")
    target = target_of(backend.name)

    def run(graph, inputs):
        written = target.write(graph, "Net")
        write_state(written.state, tmp_path / "net.safetensors")
        names = {"__name__": "ported"}
        exec(compile(written.source, "net.py", "exec"), names)
        with ub.use_dtype("float64"), backend.native_dtype("float64"):
            net = names["load"](str(tmp_path / "net.safetensors"))
        net = backend.cast(net, "float64") if backend.name == "torch" else net
        laid = (moved(written, value, inputs[value.name]) for value in graph.inputs)
        given = [backend.from_numpy(each, "cpu") for each in laid]
        found = backend.run(net, given)
        found = found if isinstance(found, list | tuple) else [found]
        return written, [backend.to_numpy(each) for each in found]

    return run


UNKNOWN = [
    case
    for case in CASES
    if case.operator == "_contrib_ROIAlign" and not case.options.get("sample_ratio")
]
"""How many points a region has is known when it is seen, which a model of Keras cannot do."""


@pytest.mark.parametrize("case", UNKNOWN, ids=str)
def test_what_keras_cannot_do_is_refused(case):
    with pytest.raises(ub.UnsupportedError, match="as many points as a region has pixels"):
        target_of("tensorflow").write(case.graph(), "Net")


@pytest.mark.parametrize("case", computed(CASES), ids=str)
def test_source_computes_what_the_graph_does(case, ported, backend):
    if backend.name == "tensorflow" and case in UNKNOWN:
        pytest.skip("refused")
    graph, inputs = case.graph(), {k: exact(x) for k, x in case.numbers()[1].items()}
    values = values_of(graph, inputs)
    written, found = ported(graph, inputs)
    for mine, value in zip(found, graph.outputs, strict=True):
        expected = moved(written, value, values[value])
        assert mine.shape == expected.shape
        scale = max(np.abs(expected).max(initial=0), 1)
        tolerance = INEXACT.get((backend.name, case.operator), 1e-9)
        assert np.abs(mine - expected).max(initial=0) <= tolerance * scale


@pytest.mark.skipif(shutil.which("ruff") is None, reason="ruff is not installed")
@pytest.mark.parametrize("name", ["torch", "tensorflow", "unified_blocks"])
def test_sources_are_laid_out_as_ruff_does(name, tmp_path):
    known = {"tensorflow": lambda case: case not in UNKNOWN, "unified_blocks": is_portable}
    for i, case in enumerate(computed(CASES)):
        if known.get(name, bool)(case):
            source = target_of(name).write(case.graph(), "Net").source
            (tmp_path / f"net_{i}.py").write_text(source)
    rules = "E4,E7,E9,F,I"
    for command in (["format", "--check"], ["check", "--select", rules]):
        done = subprocess.run(
            ["ruff", *command, "--isolated", "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout


COUNT = count()
"""The name of a block must be of one module."""


def is_portable(case):
    """Whether portable blocks have words for all of it."""
    try:
        target_of("unified_blocks").write(case.graph(), "Net")
    except ub.UnsupportedError:
        return False
    return True


@pytest.mark.parametrize("case", [*filter(is_portable, computed(CASES))], ids=str)
def test_portable_blocks_compute_what_the_graph_does(case, backend, tmp_path):
    graph, inputs = case.graph(), {k: exact(x) for k, x in case.numbers()[1].items()}
    written = target_of("unified_blocks").write(graph, "Net")
    state = {name: exact(array) for name, array in written.state.items()}
    write_state(state, tmp_path / "net.safetensors")
    names = {"__name__": f"words_of_operators_{next(COUNT)}"}
    exec(compile(written.source, "net.py", "exec"), names)
    with ub.use_backend(backend.name), ub.use_dtype("float64"):
        net = names["load"](str(tmp_path / "net.safetensors"), backend.name)
        found = net(*(backend.from_numpy(inputs[value.name], "cpu") for value in graph.inputs))
    found = found if isinstance(found, list | tuple) else [found]
    values = values_of(graph, inputs)
    for mine, value in zip(found, graph.outputs, strict=True):
        expected, mine = values[value], backend.to_numpy(mine)
        assert mine.shape == expected.shape
        assert np.abs(mine - expected).max(initial=0) <= 1e-7 * max(np.abs(expected).max(), 1)
