"""How a native instance is constructed, and the context in which its `__init__` runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Any, TypeAlias

from unified_blocks.backend import Backend
from unified_blocks.backend.registry import default_backend
from unified_blocks.block.arguments import Arguments, dtype_by_name, without_self
from unified_blocks.block.attributes import check_constructed, constructing
from unified_blocks.block.origin import Origin, remember
from unified_blocks.block.rules import rule_of
from unified_blocks.dtypes import (
    FLOAT_DTYPES,
    MIXED_DTYPES,
    default_dtype,
    default_float,
    dtype_name,
)
from unified_blocks.errors import UnsupportedError
from unified_blocks.layouts import LAYOUTS, chosen_layout, default_layout, layout_name

PACKAGE = __name__.partition(".")[0]
PLAIN = (bool, int, float, str)

Call: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any]], None]
"""A constructor that is given the instance, positional arguments and keywords."""


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
    written = next((cls for cls in written_for(native) if "__init__" in vars(cls)), None)
    if written is not None:
        init = vars(written)["__init__"]
    elif hasattr(native.__init__, "constructs"):
        return  # the constructor of the native class that it extends does it
    else:
        init = _inherited(native)
    ours = native.__bases__[0].__module__.partition(".")[0] == PACKAGE
    call = checked(init, to_native_dtype) if ours and written is not None else _called(init)

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        outermost = type(self).__init__ is __init__
        positional, keywords = dtype_by_name(init, args, kwargs)
        if outermost:
            begin(self, positional, keywords)
        tokens = [(variable, variable.set(value)) for variable, value in _settings_of(self)]
        try:
            with scope():
                call(self, positional, keywords)
                finish(self)
                if outermost:
                    check_constructed(self)
        finally:
            for variable, token in tokens:
                variable.reset(token)

    # Keras does not look deeper.
    vars(__init__).update(__signature__=inspect.signature(init), constructs=True)
    native.__init__ = __init__


def checked(init: Callable[..., None], to_native_dtype: Callable[[str], Any]) -> Call:
    """A hand-written `__init__`, with its arguments checked, and its dtype and layout settled.

    Args:
        init: the constructor as its author wrote it.
        to_native_dtype: turns a dtype's canonical name into what the framework's layers take.
    """
    signature = inspect.signature(init)
    parameters = list(signature.parameters.values())[1:]
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    rules = {p.name: rule for p in parameters if (rule := rule_of(p.name)) is not None}
    signature_names = {p.name for p in parameters if p.kind is not p.VAR_POSITIONAL}
    takes_dtype = "dtype" in signature.parameters
    takes_layout = "layout" in signature.parameters
    if takes_layout:
        defaults["layout"] = None

    def call(self: Any, positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        values = {**defaults, **dict(zip(names, positional, strict=False)), **keywords}
        for parameter, rule in rules.items():
            if parameter in values:
                rule(type(self).__name__, parameter, values[parameter])
        given = keywords
        if takes_layout:
            layout = values.get("layout")
            values["layout"] = default_layout() if layout is None else layout_name(layout)
            given = {**given, "layout": values["layout"]}
        if values.keys() == signature_names:  # else the call below raises what is wrong
            self.check_arguments(values)
        options = {name: value for name, value in values.items() if is_plain(value)}
        remember(self, options=options)
        if takes_dtype and "dtype" in values:
            dtype = values["dtype"]
            name = default_dtype() if dtype is None else dtype_name(dtype)
            given = {**given, "dtype": to_native_dtype(name)}
        try:
            init(self, *positional, **given)
        except TypeError:
            try:
                signature.bind(self, *positional, **keywords)
            except TypeError as error:  # it was called with arguments that it does not have
                name = type(self).__name__
                raise TypeError(f"{name}{without_self(init)}: {error}") from None
            raise

    return call


def written_for(native: type[Any]) -> tuple[type[Any], ...]:
    """A native class, and what stands between its block class and the framework's.

    There is what the native classes of a family have in common.
    """
    return (native, *native.__bases__[1:-1])


def is_plain(value: Any) -> bool:
    """Whether a value is a number, a text or None, or a list or tuple of such."""
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, PLAIN)


def _inherited(native: type[Any]) -> Callable[..., None]:
    @functools.wraps(native.__init__)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super(native, self).__init__(*args, **kwargs)

    return __init__


def _called(init: Callable[..., None]) -> Call:
    def call(self: Any, positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        init(self, *positional, **keywords)

    return call


def begin(net: Any, positional: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """Record what `net` is made with, before anything else is in it.

    Raises:
        UnsupportedError: as `check_dtype`.
    """
    # Not in the constructor, which is pickled by value with a class that is: no setting could be.
    backend = net._native.backend
    asks_framework = default_float.get() is None and keywords.get("dtype") is None
    by_framework = backend.default_dtype() if asks_framework else None
    arguments = Arguments.of(positional, keywords, by_framework)
    check_dtype(backend, arguments.chosen_dtype)
    object.__setattr__(net, "_origin", Origin(arguments, assigned=[]))


def _settings_of(net: Any) -> list[tuple[ContextVar[Any], Any]]:
    """What is set while `net` is constructed."""
    settings: list[tuple[ContextVar[Any], Any]] = [
        (constructing, True),
        (default_backend, net._native.backend.name),
    ]
    arguments: Arguments = net._origin.arguments
    dtype = arguments.keywords.get("dtype")
    if dtype in (*FLOAT_DTYPES, *MIXED_DTYPES):
        settings.append((default_float, dtype))
    elif default_float.get() is None:
        settings.append((default_float, arguments.dtype))
    layout = arguments.keywords.get("layout")
    settings.append((chosen_layout, layout if layout in LAYOUTS else arguments.layout))
    return settings


def check_dtype(backend: Backend, dtype: Any) -> None:
    """Refuse a dtype that the framework does not have.

    Raises:
        UnsupportedError: for one of `MIXED_DTYPES`, on a framework without mixed precision.
    """
    if dtype in MIXED_DTYPES and "mixed-precision" in backend.lacks:
        raise UnsupportedError(
            f"on {backend.title} a dtype must be one of {', '.join(FLOAT_DTYPES)}; got {dtype!r}, "
            'which computes in half and keeps float32 variables: use "float32"; a model that has '
            'it becomes that by ub.cast(net, "float32")'
        )
