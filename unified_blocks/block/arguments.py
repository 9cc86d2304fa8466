"""The arguments that a block is constructed with: declared, checked, recorded."""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from unified_blocks.dtypes import default_dtype, dtype_name, use_dtype
from unified_blocks.layouts import Layout, default_layout, use_layout

if TYPE_CHECKING:
    Init = TypeVar("Init", bound=Callable[..., None])

    def declared(init: Init) -> Init: ...

else:

    class declared:
        """Marks an `__init__` that says how a block is made, and leaves that to native classes.

        It gives the class its signature and then steps out of the way, so that `super().__init__()`
        in a native class reaches the framework's own constructor.
        """

        def __init__(self, init: Callable[..., None]) -> None:
            self.init = init

        def __set_name__(self, owner: type, name: str) -> None:
            owner.declared_signature = without_self(self.init)
            delattr(owner, name)


def without_self(init: Callable[..., None]) -> inspect.Signature:
    """The signature of a class whose constructor is `init`."""
    signature = inspect.signature(init)
    return signature.replace(parameters=list(signature.parameters.values())[1:])


@dataclass(frozen=True)
class Arguments:
    """What a block was made with: enough to make another one like it on any backend.

    Attributes:
        positional, keywords: the constructor's arguments, as given.
        dtype: the default floating-point type at that moment.
        layout: the default layout of images at that moment.
    """

    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"
    layout: Layout = "channels_first"

    @classmethod
    def of(
        cls, positional: tuple[Any, ...], keywords: dict[str, Any], dtype: str | None = None
    ) -> Arguments:
        """Arguments given here and now, the dtype among the keywords; see `dtype_by_name`.

        `dtype` is the default one, if it is not this library's.
        """
        positional, keywords = _each(copied, positional, keywords)
        if keywords.get("dtype") is not None:
            with suppress(ValueError):  # the constructor itself says what is wrong with it
                keywords["dtype"] = dtype_name(keywords["dtype"])
        return cls(positional, keywords, dtype or default_dtype(), default_layout())

    @property
    def chosen_dtype(self) -> Any:
        """The dtype that was asked for, or else the default one."""
        given = self.keywords.get("dtype")
        return self.dtype if given is None else given

    def map(self, change: Callable[[Any], Any]) -> Arguments:
        """The same arguments, each value passed through `change`."""
        changed = _each(change, self.positional, self.keywords)
        return Arguments(*changed, self.dtype, self.layout)

    def with_dtype(self, dtype: str) -> Arguments:
        """The same arguments for a block of another floating-point type."""
        keywords = dict(self.keywords)
        if keywords.get("dtype") is not None:
            keywords["dtype"] = dtype
        return Arguments(self.positional, keywords, dtype, self.layout)

    def with_layout(self, layout: Layout) -> Arguments:
        """The same arguments for a block of another layout of images."""
        keywords = dict(self.keywords)
        if keywords.get("layout") is not None:
            keywords["layout"] = layout
        return Arguments(self.positional, keywords, self.dtype, layout)

    def make(self, cls: Callable[..., Any]) -> Any:
        """An instance of `cls` made with these arguments."""
        given = self.map(copied)
        with use_dtype(self.dtype), use_layout(self.layout):
            return cls(*given.positional, **given.keywords)


def _each(
    change: Callable[[Any], Any], positional: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return tuple(map(change, positional)), {key: change(value) for key, value in keywords.items()}


def copied(value: Any) -> Any:
    """`value`; lists, dicts and arrays copied, so that the record cannot change."""
    kind = type(value)
    if kind in (list, tuple):
        return kind(copied(item) for item in value)
    if kind in (dict, OrderedDict):
        return kind((key, copied(item)) for key, item in value.items())
    return value.copy() if isinstance(value, np.ndarray) else value


def dtype_by_name(
    init: Callable[..., None], positional: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of `init`, with the dtype, and what may be given after it, among the keywords."""
    place, names = names_from_dtype(init)
    if not names or len(positional) <= place:
        return positional, keywords
    named = dict(zip(names, positional[place:], strict=False))
    if named.keys() & keywords.keys() or len(positional) > place + len(named):
        return positional, keywords  # an error, which the call will raise
    return positional[:place], {**keywords, **named}


@functools.cache
def names_from_dtype(init: Callable[..., None]) -> tuple[int, list[str]]:
    """Where `dtype` is among the positional arguments of `init`, and its name and those after.

    No names when it is not among them, or when those after have none.
    """
    parameters = list(without_self(init).parameters.values())
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if "dtype" not in names or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 0, []
    place = [p.name for p in parameters].index("dtype")
    return place, names[names.index("dtype") :]


def give(native: type[Any], methods: Mapping[str, Any]) -> None:
    """Give methods to a native class, except those that its author wrote.

    Args:
        native: changed in place.
        methods: the `vars` of the class that they are written in.
    """
    written = [native, *native.__bases__[0].__mro__[:-1]]
    for name, method in methods.items():
        is_method = isinstance(method, FunctionType | classmethod)
        if is_method and not any(name in vars(cls) for cls in written):
            setattr(native, name, method)
