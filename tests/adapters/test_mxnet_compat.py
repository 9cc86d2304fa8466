"""MXNet finds the NumPy that it was written for, and everybody else finds the one that is there."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

import unified_blocks as ub

if "mxnet" not in ub.available_backends():
    pytest.skip("mxnet is not installed", allow_module_level=True)

from unified_blocks_mxnet import compat
from unified_blocks_mxnet.compat import GONE, mx, numpy_semantics, then

COUNT = """
import sys
def names():
    return {name for name, value in vars(numpy).items() if type(value) is not type(numpy)}
def stay():
    modules = [m for name, m in sys.modules.items() if name.partition('.')[0] == 'mxnet']
    assert len(modules) > 100
    return [(m.__name__, a) for m in modules for a, v in list(vars(m).items()) if v is numpy]
"""


def in_a_new_process(code):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_numpy_is_for_others_what_it_was():
    """SciPy and others ask it which names it has."""
    in_a_new_process(
        f"import numpy{COUNT}before = names()\n"
        "import unified_blocks_mxnet\n"
        "assert names() == before, names() ^ before\n"
        "assert stay() == []\n"
        "import scipy.linalg"
    )


def test_what_mxnet_imports_later_finds_the_names_too():
    in_a_new_process(
        f"import numpy{COUNT}import unified_blocks_mxnet\n"
        "from mxnet.gluon.contrib.estimator import EarlyStoppingHandler\n"
        "from mxnet import mod\n"
        "assert stay() == []\n"
        "import mxnet.gluon.contrib.estimator.event_handler as later\n"
        "assert later.np.Inf == numpy.inf and later.np.linalg is numpy.linalg"
    )


@pytest.mark.parametrize("names", ["", "numpy.bool = bool"], ids=["as it is", "with the alias"])
def test_mxnet_was_imported_before(names):
    """On its own it works with the alias on NumPy 1.26, and stops half-way on any newer one."""
    in_a_new_process(
        f"import numpy{COUNT}"
        f"if numpy.__version__ < '2': {names or 'pass'}\n"
        "try: import mxnet\n"
        "except AttributeError as error: print(error)\n"
        "vars(numpy).pop('bool') if numpy.__version__ < '2' and 'bool' in vars(numpy) else None\n"
        "from unified_blocks_mxnet.compat import mx\n"
        "assert stay() == []\n"
        "a = mx.np.array([1.0, 3.0]); mx.npx.set_np(); a[a > 2] = 0\n"
        "assert a.asnumpy().tolist() == [1, 0]"
    )


def test_it_computes_with_the_names():
    with numpy_semantics():
        a = mx.np.array([1.0, 3.0])
        a[a > 2] = 0
        assert a.asnumpy().tolist() == [1, 0]
        assert mx.np.full((2,), True).dtype == np.bool_
        assert -np.inf == mx.np.NINF
        assert mx.np.trapz(mx.np.array([1.0, 3.0])) == 2


def test_numbers_of_numpy_in_a_shape_are_numbers():
    """MXNet gives a shape to its library as text, and NumPy 2 writes `np.int64(2)`."""
    two, three = np.int64(2), np.int64(3)
    with numpy_semantics():
        a = mx.np.ones((two, three))
        assert [part.shape for part in mx.np.split(a, [np.int64(1)], axis=1)] == [(2, 1), (2, 2)]
        assert mx.np.reshape(a, (three, two)).shape == (3, 2)
    assert [part.shape for part in mx.gluon.utils.split_data(mx.nd.ones((4, 2)), 2)] == [(2, 2)] * 2
    x = mx.sym.reshape(mx.sym.var("x", shape=(two, three)), shape=(three, two))
    assert x.infer_shape() == ([(2, 3)], [(3, 2)], [])
    assert compat.TextThen(["a", 1.5, (two,)]) == "['a', 1.5, (2,)]"
    assert isinstance("a", compat.TextThen)
    assert not isinstance(1, compat.TextThen)


MEANT = {
    "in1d": lambda a: np.isin(a, 0.5).ravel(),
    "msort": lambda a: np.sort(a, 0),
    "trapz": lambda a: (a[:, 1:] + a[:, :-1]).sum(1) / 2,
    "sometrue": np.any,
    "alltrue": np.all,
    "product": np.prod,
    "cumproduct": np.cumprod,
    "round_": np.round,
}
NUMBERS = {
    "PZERO": 0.0,
    "NZERO": -0.0,
    "NINF": -np.inf,
    "NaN": np.nan,
    "NAN": np.nan,
    **dict.fromkeys(("PINF", "Inf", "Infinity", "infty"), np.inf),
}
FINANCIAL = {"mirr", "npv", "pmt", "ppmt", "pv", "rate"}


def test_a_name_means_what_it_meant():
    assert {*MEANT, *NUMBERS, *FINANCIAL, "bool", "compat"} == set(GONE)
    a = np.array([[3.0, 0.5], [-1.25, 2.0]])
    for name, meaning in MEANT.items():
        with warnings.catch_warnings(action="ignore"):  # NumPy 1.26 says that some will go
            found = getattr(then, name)(*((a, 0.5) if name == "in1d" else (a,)))
        np.testing.assert_array_equal(found, meaning(a), err_msg=name)
    for name, number in NUMBERS.items():
        np.testing.assert_equal(getattr(then, name), number)
    assert np.signbit(then.NZERO)
    assert then.bool in (bool, np.bool_)
    assert isinstance("constant", then.compat.basestring)  # `mx.np.pad` asks so for its mode
    assert all(hasattr(then, name) for name in FINANCIAL)


def test_everything_else_is_numpys_own():
    assert then.ndarray is np.ndarray
    assert then.testing is np.testing
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = then.no_such_name
    assert compat.import_then("numpy") is then
    assert compat.import_then("numpy.linalg", {}, {}, ["norm"]) is np.linalg


@pytest.mark.parametrize(
    ("version", "command"),
    [
        ("1.26.4", 'pip install "unified-blocks[mxnet]"'),
        (
            "2.5.0",
            'pip install --no-deps mxnet==1.9.1 && pip install requests "graphviz<0.9" setuptools',
        ),
    ],
)
def test_where_it_is_missing_the_error_says_what_installs_it_beside_this_numpy(version, command):
    printed = in_a_new_process(
        f"import numpy, sys; numpy.__version__ = {version!r}; sys.modules['mxnet'] = None\n"
        "import unified_blocks as ub\n"
        "try: ub.set_backend('mxnet')\n"
        "except ImportError as error: print(error, error.command, sep='\\n')"
    )
    assert printed.splitlines()[0].endswith(f"run: {command}")
    assert printed.splitlines()[1] == command
