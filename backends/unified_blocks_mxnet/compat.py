"""MXNet 1.9.1 on Python and NumPy newer than it knows.

MXNet was retired in 2023 and its last release names things that NumPy and Python have removed
since. What it still finds elsewhere is put where it looks; what cannot be mended is said.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy

if int(numpy.__version__.split(".")[0]) >= 2:
    raise ImportError(
        f"MXNet 1.9.1 needs NumPy below 2, and NumPy {numpy.__version__} is installed; "
        'run: pip install "numpy<2"'
    )

if "bool" not in vars(numpy):  # NumPy 1.24 removed this alias of Python's bool
    vars(numpy)["bool"] = bool  # left in place: MXNet looks it up again at run time

if sys.version_info >= (3, 12) and importlib.util.find_spec("setuptools") is None:
    raise ImportError(
        "MXNet 1.9.1 needs distutils, which Python 3.12 removed and setuptools brings; "
        "run: pip install setuptools"
    )

import mxnet as mx
from mxnet.gluon import nn

# Whether the thread is set to NumPy arrays, and with them to NumPy shapes: MXNet's set_np refuses
# the one without the other. To ask costs a hundredth of setting both again.
has_numpy_semantics = mx.util.is_np_array


@contextmanager
def numpy_semantics() -> Iterator[None]:
    """NumPy arrays and shapes inside the `with`, whatever the thread is set to."""
    with mx.util.np_shape(True), mx.util.np_array(True):
        yield


__all__ = ["has_numpy_semantics", "mx", "nn", "numpy_semantics"]
