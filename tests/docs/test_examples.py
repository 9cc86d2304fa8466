"""Every public name has an example in its docstring, which runs and gives what it says."""

import contextvars
from importlib.util import find_spec

import numpy as np
import pytest

from testbed.examples import NAMES, differences, example_of, run
from unified_blocks.ops import dispatch
from unified_blocks.porting.mxnet.reading import HANDLERS

PAGES = ("Comparison.to_html", "ub.port")
"""Those whose example makes a page of the report."""


@pytest.mark.parametrize("name", NAMES)
def test_it_has_an_example(name):
    assert example_of(NAMES[name]) is not None


@pytest.fixture
def apart(tmp_path, monkeypatch):
    """In a folder of its own; what two examples register is forgotten after them."""
    monkeypatch.chdir(tmp_path)
    yield
    dispatch.namespaces.pop(np.ndarray, None)
    HANDLERS.pop("_contrib_double", None)


@pytest.mark.parametrize("name", NAMES)
def test_its_example_runs(name, backend_name, apart):
    if name in PAGES:
        pytest.importorskip("jinja2", reason="pages of the report need the extra `report`")
        pytest.importorskip("plotly", reason="pages of the report need the extra `report`")
    context = contextvars.copy_context()  # it may set another default backend
    try:
        shows, wrong = context.run(run, example_of(NAMES[name]), name)
    except ImportError as error:
        if error.name is None or find_spec(error.name) is not None:
            raise
        pytest.skip(f"it needs {error.name}, which is not installed")
    assert not wrong
    assert shows, "its last line gives and prints nothing"


def test_a_name_without_an_example_is_found():
    class Base:
        """Of it.

        Example::

            ub.Base()
        """

    class Without(Base):
        pass

    assert example_of(Base) == "ub.Base()\n"
    assert example_of(Without) is None


@pytest.mark.parametrize(
    ("code", "shows", "count"),
    [
        ("x = 1\n", False, 0),
        ("x = 1\nx\n", True, 0),
        ("print(1)\nx = 1\n", False, 0),
        ("for x in range(2):\n    print(x)  # 3\n", True, 0),
        ("np.zeros((2, 3))  # (2, 4)\n", True, 1),
        ("np.zeros(2)  # [0, 1]\n", True, 1),
        ("np.zeros(2)  # [0, 0\n", True, 1),
        ("np.zeros(2)  # all of them 0\n", True, 0),
    ],
)
def test_an_example_that_shows_nothing_or_says_something_wrong_is_found(code, shows, count):
    shown, wrong = run(code, "none")
    assert (shown, len(wrong)) == (shows, count)


@pytest.mark.parametrize(
    ("value", "comment", "right"),
    [
        (np.array([0.6931]), "[0.693]", True),
        (np.array([0.6931]), "[0.694]", False),
        (np.array([1e-12]), "[1e-12]", True),
        (np.array([0.0]), "[1e-12]", False),
        (np.array([0.1]), "[0]", False),
        (np.array([0.0]), "[False]", False),
        (np.zeros((2, 3)), "(2, 3)", True),
        (np.zeros(()), "()", True),
        ((np.zeros(2), np.zeros(3)), "(2,), (3,)", True),
        ((np.zeros(2), np.zeros(3)), "(2,), (2,)", False),
        ([np.array([1]), np.array([2])], "[[1], [2]]", True),
        ([np.array([1]), np.array([2])], "[[1], [3]]", False),
        ("yes", "'yes'", True),
        ("no", "'yes'", False),
        (1.25, "1.25", True),
        (True, "True", True),
        (False, "True", False),
    ],
)
def test_a_comment_is_held_to_its_digits(value, comment, right):
    assert (not differences(value, comment)) == right
