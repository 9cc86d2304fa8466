"""The extension in IPython itself, and frameworks that read the source of what a cell defines."""

import numpy as np
import pytest

import unified_blocks as ub
from testbed.notebooks import GRAPHS

pytest.importorskip("IPython", reason="notebooks need IPython")

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output


@pytest.fixture
def shell():
    made = InteractiveShell()
    made.run_cell("%load_ext unified_blocks.notebook").raise_error()
    yield made
    made.history_manager.end_session()


def shown(shell, cell):
    """What a cell prints; a value too is printed, for this shell is not that of the process."""
    with capture_output() as found:
        shell.run_cell(cell).raise_error()
    return found.stdout


def test_cells_run_by_their_first_line(shell, backend_name):
    assert shown(shell, "import unified_blocks as ub\nunits = 3") == ""
    cell = f"# on {backend_name}\nnet = ub.MLP(units, 2)\nprint(ub.backend_of(net).name)"
    assert shown(shell, cell) == f"{backend_name}\n"
    assert "net" not in shell.user_ns
    assert shown(shell, f"# on {backend_name}\nprint(type(net).__name__)") == "MLP\n"


def test_an_alias_is_the_same_backend(shell, backend_name):
    alias = {"torch": "pytorch", "tensorflow": "keras", "mxnet": "gluon"}[backend_name]
    shown(shell, f"# on {backend_name}\nx = 1")
    assert shown(shell, f"# on {alias}\nx") == "1\n"


def test_an_error_names_its_line(shell, backend_name):
    with capture_output() as found:
        result = shell.run_cell(f"# on {backend_name}\nx = 1\nx / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert "x / 0" in found.stdout


def test_loading_it_twice_changes_nothing(shell, backend_name):
    shown(shell, "%reload_ext unified_blocks.notebook")
    assert shown(shell, f"# on {backend_name}\n1 + 1") == "2\n"


def test_a_loop_on_a_tensor_becomes_a_graph(shell, backend_name):
    """AutoGraph, for one, reads the source of the function."""
    expected = "3.0"
    assert shown(shell, f"# on {backend_name}\n{GRAPHS[backend_name]}").strip() == expected


def test_a_portable_block_of_an_ordinary_cell(shell, backend_name):
    shown(
        shell,
        "import unified_blocks as ub\n"
        "class Halved(ub.Block):\n"
        "    def forward(self, X):\n"
        "        while ub.ops.sum(X) > 1:\n"
        "            X = X / 2\n"
        "        return X\n",
    )
    cell = f"# on {backend_name}\nnet = Halved()\nub.to_numpy(net(ub.from_numpy(x)))"
    shell.user_ns["x"] = np.array([3.0, 1.0], "float32")
    assert "0.75" in shown(shell, cell)
    assert ub.backend_of(shell.user_ns["Halved"].on(backend_name)()).name == backend_name
