"""How a native instance is constructed: what its `__init__` runs in."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any

from unified_blocks.backend.registry import default_backend
from unified_blocks.block.arguments import checked
from unified_blocks.block.attributes import Watch, check_constructed, constructing
from unified_blocks.dtypes import FLOAT_DTYPES, default_float


def construct(
    native: type[Any],
    to_native_dtype: Callable[[str], Any] = lambda name: name,
    scope: Callable[[], AbstractContextManager[Any]] = nullcontext,
    finish: Callable[[Any], None] = lambda net: None,
) -> None:
    """Give a native class an `__init__` inside which its backend is the default.

    So is the floating-point type that it was made with. The constructor of one of this library's
    own classes has its arguments checked.

    Args:
        native: a class that extends a block class and the framework's; changed in place.
        to_native_dtype: turns a dtype's canonical name into what the framework's layers take.
        scope: what else the constructor has to run in.
        finish: called with the constructed instance, still in the scope.
    """
    init: Callable[..., None]
    if "__init__" not in vars(native):
        init = _inherited(native)
    elif native.__bases__[0].__module__.partition(".")[0] == __package__.partition(".")[0]:
        init = checked(vars(native)["__init__"], to_native_dtype)
    else:
        init = vars(native)["__init__"]

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        outermost = type(self).__init__ is __init__
        if outermost:
            vars(self)["_watch"] = Watch()
        tokens = [(variable, variable.set(value)) for variable, value in _settings_of(self)]
        try:
            with scope():
                init(self, *args, **kwargs)
                finish(self)
                if outermost:
                    check_constructed(self)
        finally:
            for variable, token in tokens:
                variable.reset(token)

    # Keras does not look deeper.
    vars(__init__)["__signature__"] = inspect.signature(init)
    native.__init__ = __init__


def _inherited(native: type[Any]) -> Callable[..., None]:
    @functools.wraps(native.__init__)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super(native, self).__init__(*args, **kwargs)

    return __init__


def _settings_of(net: Any) -> list[tuple[ContextVar[Any], Any]]:
    """What is set while `net` is constructed."""
    settings: list[tuple[ContextVar[Any], Any]] = [
        (constructing, True),
        (default_backend, net._block_backend.name),
    ]
    dtype = net._arguments.keywords.get("dtype")
    if dtype in FLOAT_DTYPES:
        settings.append((default_float, dtype))
    return settings
