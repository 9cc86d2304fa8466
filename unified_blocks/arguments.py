"""The arguments that a block is constructed with: declared, checked, recorded."""

from __future__ import annotations

import functools
import inspect
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from unified_blocks.dtypes import default_dtype, dtype_name, use_dtype

ACTIVATIONS = (
    *("relu", "leaky_relu", "elu", "selu", "gelu", "silu", "sigmoid", "hard_sigmoid", "tanh"),
    *("softplus", "softsign"),
)
RANGES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "rate": ("in [0, 1)", lambda value: 0 <= value < 1),
    "momentum": ("in [0, 1]", lambda value: 0 <= value <= 1),
    "epsilon": ("above 0", lambda value: value > 0),
}


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
    """

    positional: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    dtype: str = "float32"

    @classmethod
    def record(
        cls, native: Any, positional: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Arguments:
        """These arguments of `native`, given here and now; a dtype becomes a keyword."""
        place, names = names_from_dtype(native)
        if names and len(positional) > place:
            keywords.update(zip(names, positional[place:], strict=False))
            positional = positional[:place]
        if keywords.get("dtype") is not None:
            with suppress(ValueError):  # the constructor itself says what is wrong with it
                keywords["dtype"] = dtype_name(keywords["dtype"])
        return cls(positional, keywords, default_dtype()).map(copied)

    def map(self, change: Callable[[Any], Any]) -> Arguments:
        """The same arguments, each value passed through `change`."""
        return replace(
            self,
            positional=tuple(change(value) for value in self.positional),
            keywords={key: change(value) for key, value in self.keywords.items()},
        )

    def with_dtype(self, dtype: str) -> Arguments:
        """The same arguments for a block of another floating-point type."""
        keywords = dict(self.keywords)
        if keywords.get("dtype") is not None:
            keywords["dtype"] = dtype
        return replace(self, keywords=keywords, dtype=dtype)

    def make(self, cls: Callable[..., Any]) -> Any:
        """An instance of `cls` made with these arguments."""
        given = self.map(copied)
        with use_dtype(self.dtype):
            return cls(*given.positional, **given.keywords)


def copied(value: Any) -> Any:
    """`value`; lists, dicts and arrays copied, so that nobody changes what was recorded."""
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) in (dict, OrderedDict):
        return type(value)((key, copied(item)) for key, item in value.items())
    return value.copy() if isinstance(value, np.ndarray) else value


widest: ContextVar[int | None] = ContextVar("unified_blocks_widest", default=None)
"""The widest that a layer may be while one is made from a file; None when there is no bound."""


def checked(
    init: Callable[..., None], to_native_dtype: Callable[[str], Any]
) -> Callable[..., None]:
    """A hand-written `__init__`, with its arguments checked and its dtype made native.

    Args:
        init: the constructor as its author wrote it.
        to_native_dtype: turns a dtype's canonical name into what the framework's layers take.
    """
    signature = inspect.signature(init)

    @functools.wraps(init)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        block = type(self).__name__
        try:
            bound = signature.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{block}{without_self(init)}: {error}") from None
        bound.apply_defaults()
        for parameter, value in bound.arguments.items():
            check_argument(block, parameter, value)
        object.__setattr__(self, "_options", options_of(bound))
        if "dtype" in bound.arguments:
            dtype = bound.arguments["dtype"]
            name = default_dtype() if dtype is None else dtype_name(dtype)
            bound.arguments["dtype"] = to_native_dtype(name)
        init(*bound.args, **bound.kwargs)

    return __init__


@functools.cache
def names_from_dtype(native: type[Any]) -> tuple[int, list[str]]:
    """Where `dtype` is among the positional arguments of a class, and its name and those after.

    No names when it is not among them, or when those after have none.
    """
    parameters = list(without_self(native.__init__).parameters.values())
    names = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    if "dtype" not in names or any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return 0, []
    place = [p.name for p in parameters].index("dtype")
    return place, names[names.index("dtype") :]


def options_of(bound: inspect.BoundArguments) -> dict[str, Any]:
    """The arguments that are plain values, by name."""
    values = bound.arguments.items()
    return {name: v for name, v in values if v is None or isinstance(v, bool | int | float | str)}


def give(native: type[Any], *methods: Callable[..., Any]) -> None:
    """Give methods to a native class, except those that its author wrote."""
    written = [native, *native.__bases__[0].__mro__[:-1]]
    for method in methods:
        name = method.__name__
        if not any(name in vars(cls) for cls in written):
            setattr(native, name, method)


def check_argument(block: str, parameter: str, value: Any) -> None:
    """Hold one constructor argument to the rule that its name stands for.

    Raises:
        TypeError: a size that is no whole number.
        ValueError: a size below 1, an unknown activation, or a number out of its range.
    """
    if parameter.endswith(("units", "_dim")) and not (parameter == "in_units" and value is None):
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{block}: {parameter} must be a whole number; got {value!r}")
        if value < 1:
            raise ValueError(f"{block}: {parameter} must be at least 1; got {parameter}={value}")
        bound = widest.get()
        if bound is not None and value > bound:
            raise ValueError(
                f"{block}: {parameter} must be a size of an array in the file, {bound} at most; "
                f"got {parameter}={value}"
            )
    if parameter in RANGES:
        rule, holds = RANGES[parameter]
        if not holds(value):
            raise ValueError(f"{block}: {parameter} must be {rule}; got {parameter}={value!r}")
    if parameter.endswith("activation") and value is not None and value not in ACTIVATIONS:
        raise ValueError(
            f"{block}: {parameter} must be None or one of {', '.join(ACTIVATIONS)}; "
            f"got {parameter}={value!r}"
        )
