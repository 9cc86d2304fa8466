"""MXNet 1.9.1 on Python and NumPy newer than it knows.

MXNet was retired in 2023 and its last release names things that NumPy and Python have removed
since. Its modules therefore import another `numpy` than everybody else's: one that has those names,
and the rest from NumPy. NumPy itself stays what it is, for others ask it which names it has.
"""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy

from unified_blocks.errors import BackendImportError

INSTALL = 'pip install --no-deps mxnet==1.9.1 && pip install requests "graphviz<0.9" setuptools'
"""What installs it beside NumPy 2, which its own metadata refuses."""

if importlib.util.find_spec("mxnet") is None and int(numpy.__version__.split(".")[0]) >= 2:
    raise BackendImportError(
        f"MXNet 1.9.1 works with NumPy {numpy.__version__}, but pip installs it only without what "
        f"it declares to need, NumPy below 2; run: {INSTALL}",
        name="mxnet",
        command=INSTALL,
    )

if sys.version_info >= (3, 12) and importlib.util.find_spec("setuptools") is None:
    raise BackendImportError(
        "MXNet 1.9.1 needs distutils, which Python 3.12 removed and setuptools brings; "
        "run: pip install setuptools",
        name="setuptools",
        command="pip install setuptools",
    )

GONE: dict[str, Any] = {
    "bool": bool,
    "PZERO": 0.0,
    "NZERO": -0.0,
    "NINF": -numpy.inf,
    **dict.fromkeys(("PINF", "Inf", "Infinity", "infty"), numpy.inf),
    **dict.fromkeys(("NaN", "NAN"), numpy.nan),
    "sometrue": numpy.any,
    "alltrue": numpy.all,
    "round_": numpy.round,
    "product": numpy.prod,
    "cumproduct": numpy.cumprod,
    "trapz": getattr(numpy, "trapezoid", None),
    "in1d": lambda a, b, **options: numpy.isin(numpy.ravel(a), b, **options),
    "msort": lambda a: numpy.sort(a, axis=0),
    "compat": SimpleNamespace(basestring=str),
    # The financial functions: MXNet looks them up and never calls them.
    **dict.fromkeys(("mirr", "npv", "pmt", "ppmt", "pv", "rate")),
}
"""What NumPy had when MXNet was written and may have no longer."""


def numpy_of_then() -> ModuleType:
    """A module with all that NumPy has, and with the names that are gone."""
    module = ModuleType("numpy", numpy.__doc__)
    vars(module).update({**GONE, **vars(numpy)})  # so a look-up costs what it costs in NumPy
    vars(module)["__getattr__"] = lambda name: getattr(numpy, name)
    return module


then = numpy_of_then()


def import_then(name: str, *context: Any, **options: Any) -> ModuleType:
    """What an `import` in a module of MXNet runs: Python's own, but for NumPy."""
    module = builtins.__import__(name, *context, **options)
    return then if module is numpy else module


WRITERS = ("mxnet._ctypes.ndarray", "mxnet._ctypes.symbol", "mxnet.symbol.symbol", "mxnet.io.io")
"""The modules that give their arguments to the library as text."""


def number_then(value: Any) -> Any:
    """`value`, in a list or tuple too: a number of NumPy's as one of Python's."""
    if type(value) in (list, tuple):
        return type(value)(map(number_then, value))
    return value.item() if isinstance(value, numpy.generic) else value


class TextKind(type):
    """The type of `TextThen`: what is a `str` is one of it."""

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, str)


class TextThen(metaclass=TextKind):
    """`str`, which writes a shape as `(2,)` and not, as NumPy 2 would, as `(np.int64(2),)`."""

    def __new__(cls, value: Any = "") -> Any:
        return str(number_then(value) if type(value) in (list, tuple) else value)


class Loader(SourceFileLoader):
    """Runs a module of MXNet with `import_then` as its `import`."""

    def exec_module(self, module: ModuleType) -> None:
        own: dict[str, Any] = {"__import__": import_then}
        if module.__name__ in WRITERS and "np" in repr(numpy.int64(2)):  # as of NumPy 2
            own["str"] = TextThen
        vars(module)["__builtins__"] = {**vars(builtins), **own}
        super().exec_module(module)


class Finder(MetaPathFinder):
    """Finds the modules of MXNet, also those that it imports only when they are asked for."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] != "mxnet":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


sys.meta_path.insert(0, Finder())

imported = [name for name in sys.modules if name.partition(".")[0] == "mxnet"]
if "mxnet" not in imported:
    for name in imported:
        del sys.modules[name]  # what is left of an import that failed; this one begins anew

import mxnet as mx
from mxnet.gluon import nn, rnn

for name in imported if "mxnet" in imported else ():
    for attribute, value in list(vars(sys.modules[name]).items()):
        if value is numpy:
            setattr(sys.modules[name], attribute, then)

# Whether the thread is set to NumPy arrays, and with them to NumPy shapes: MXNet's set_np refuses
# the one without the other. To ask costs a hundredth of setting both again.
has_numpy_semantics = mx.util.is_np_array


@contextmanager
def numpy_semantics() -> Iterator[None]:
    """NumPy arrays and shapes inside the `with`, whatever the thread is set to."""
    with mx.util.np_shape(True), mx.util.np_array(True):
        yield


__all__ = ["has_numpy_semantics", "mx", "nn", "numpy_semantics", "rnn"]
