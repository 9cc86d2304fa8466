"""Expressions of Python that stand for calls of layers, before they have their text.

Two blocks that differ only in numbers have expressions that differ only in their literals: so a
function for both is found, and what it must be told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from unified_blocks.types import Shape


@dataclass(eq=False)
class Tensor:
    """What a statement gives, as it lies: images of a network with their channels last.

    Attributes:
        shape: for the example.
        growth: by how much each axis grows with the batch.
    """

    shape: Shape
    growth: Shape = ()


@dataclass(eq=False)
class Shared:
    """A layer that is called more than once: made before its first call.

    Attributes:
        made: what makes it.
        path: its name.
    """

    made: Call
    path: tuple[str, ...]


@dataclass(frozen=True)
class Named:
    """The name of a layer: its path, from the block in which it is written."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Raw:
    """Text that is written as it is."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call.

    Attributes:
        function: its name, or another call that gives what is called.
        arguments: by place.
        keywords: by name; one that is the default is not written.
    """

    function: str | Call | Shared
    arguments: tuple[Expression, ...] = ()
    keywords: tuple[tuple[str, Expression], ...] = ()


@dataclass(frozen=True)
class Infix:
    """Two expressions with a sign between them; one with a sign before it."""

    sign: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True)
class Index:
    """A part of a tensor.

    Attributes:
        value: the tensor.
        inside: what stands in the brackets.
    """

    value: Expression
    inside: str


@dataclass(frozen=True)
class Row:
    """A tuple or list of expressions that are not all literals."""

    items: tuple[Expression, ...]
    brackets: str = "[]"


Literal: TypeAlias = "int | float | bool | str | tuple[Any, ...] | None"
Expression: TypeAlias = "Tensor | Shared | Named | Raw | Call | Infix | Index | Row | Literal"


def call(function: str | Call | Shared, *arguments: Expression, **keywords: Expression) -> Call:
    """A call, as it would be written."""
    return Call(function, arguments, tuple(keywords.items()))


PARTLY = "PartlyFrozen"
"""Before the name of a layer that is trained in part."""
FIXED = "Fixed"
"""Before the name of a norm that counts no statistics."""
PLACES: dict[str, tuple[str, ...]] = {
    "layers.Dense": ("units",),
    "layers.Dropout": ("rate",),
    "layers.Embedding": ("input_dim", "output_dim"),
    "layers.ReversibleEmbedding": ("input_dim", "output_dim"),
    **{f"layers.{kind}": ("units",) for kind in ("LSTM", "GRU", "SimpleRNN")},
    "layers.Activation": ("activation",),
    "layers.ReLU": ("max_value",),
    "layers.Reshape": ("target_shape",),
    "layers.Permute": ("dims",),
    "ops.reshape": ("x", "shape"),
    "ops.clip": ("x", "low", "high"),
    **{f"layers.Conv{n}D": ("filters", "kernel_size") for n in (1, 2, 3)},
    **{f"layers.Conv{n}DTranspose": ("filters", "kernel_size") for n in (1, 2, 3)},
    **{f"layers.DepthwiseConv{n}D": ("kernel_size",) for n in (1, 2)},
    **{
        f"layers.{kind}Pooling{n}D": ("pool_size",)
        for kind in ("Max", "Average")
        for n in (1, 2, 3)
    },
    **{f"layers.ZeroPadding{n}D": ("padding",) for n in (1, 2, 3)},
}
"""What the arguments that stand in places are called."""

_CONVOLUTION: dict[str, Any] = {
    "strides": 1, "padding": "valid", "dilation_rate": 1, "groups": 1, "use_bias": True,
    "depth_multiplier": 1,
}  # fmt: skip
_DEFAULTS: dict[str, dict[str, Any]] = {
    "layers.BatchNormalization": {
        "axis": -1, "momentum": 0.99, "epsilon": 1e-3, "center": True, "scale": True,
    },
    "layers.Concatenate": {"axis": -1},
    "layers.Softmax": {"axis": -1},
    "layers.Dense": {"use_bias": True},
    "layers.LayerNormalization": {"axis": -1, "epsilon": 1e-3},
    **{
        f"layers.{kind}": {
            "activation": "tanh", "return_sequences": False, "return_state": False,
            "zero_output_for_mask": False,
        }
        for kind in ("LSTM", "GRU", "SimpleRNN")
    },
    **{f"layers.Conv{n}D": _CONVOLUTION for n in (1, 2, 3)},
    **{f"layers.Conv{n}DTranspose": _CONVOLUTION for n in (1, 2, 3)},
    **{f"layers.DepthwiseConv{n}D": _CONVOLUTION for n in (1, 2)},
    **{f"layers.{kind}Pooling{n}D": {"strides": None, "padding": "valid"}
       for kind in ("Max", "Average") for n in (1, 2, 3)},
    **{f"layers.Global{kind}Pooling{n}D": {"keepdims": False}
       for kind in ("Max", "Average") for n in (1, 2, 3)},
}  # fmt: skip
"""What need not be written, by function and argument."""


def default(function: Any, keyword: str) -> Any:
    """What an argument is when it is not written; `...` where it must be."""
    if keyword == "trainable":
        return True
    if not isinstance(function, str):
        return ...
    return _DEFAULTS.get(_usual(function), {}).get(keyword, ...)


def places(function: Any) -> tuple[str, ...]:
    """What the arguments of a function that stand in places are called."""
    return PLACES.get(_usual(function), ()) if isinstance(function, str) else ()


def _usual(function: str) -> str:
    """The layer of Keras that one of the source is a kind of."""
    if function.startswith((PARTLY, FIXED)):
        return "layers." + function.removeprefix(PARTLY).removeprefix(FIXED)
    return function


def is_literal(expression: Any) -> bool:
    """Whether it is a number, a text, or a tuple of such."""
    if isinstance(expression, tuple):
        return all(is_literal(each) for each in expression)
    return expression is None or isinstance(expression, bool | int | float | str)


def parts(expression: Any) -> Iterator[tuple[Any, Any, str]]:
    """What an expression is made of, with the function and the argument that each is for."""
    if isinstance(expression, Call):
        names = places(expression.function)
        if not isinstance(expression.function, str):
            yield expression.function, None, ""
        for i, each in enumerate(expression.arguments):
            yield each, expression.function, names[i] if i < len(names) else "value"
        for keyword, each in expression.keywords:
            yield each, expression.function, keyword
    elif isinstance(expression, Infix):
        for each in expression.operands:
            yield each, None, "value"
    elif isinstance(expression, Index):
        yield expression.value, None, "value"
    elif isinstance(expression, Row):
        for each in expression.items:
            yield each, None, "value"


@dataclass
class Leaf:
    """A literal that may differ between the uses of a function."""

    value: Any
    name: str
    default: Any = ...


def leaves(expression: Any, name: str = "value", default_: Any = ...) -> Iterator[Leaf]:
    """The literals of an expression, in order."""
    if is_literal(expression):
        yield Leaf(expression, name, default_)
        return
    for part, function, argument in parts(expression):
        yield from leaves(part, argument, default(function, argument))


def calls_in(
    expression: Expression, is_whole: bool = True
) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The layers with names that an expression calls, and whether it is no more than the call."""
    made = expression.function if isinstance(expression, Call) else None
    if isinstance(made, Shared):
        yield made.path, is_whole
    elif isinstance(made, Call):
        for _, each in made.keywords:
            if isinstance(each, Named):
                yield each.path, is_whole
    for part, _, _ in parts(expression):
        if part is not made:
            yield from calls_in(part, False)


def dotted(path: tuple[str, ...]) -> str:
    """What Keras calls the layer of a path."""
    return ".".join(path).replace("/", "_")


def tensors(expression: Any) -> Iterator[Tensor | Shared]:
    """The tensors, and the shared layers, that an expression takes, in order."""
    if isinstance(expression, Tensor | Shared):
        yield expression
    for part, _, _ in parts(expression):
        yield from tensors(part)


def form(expression: Any, place: Callable[[Tensor | Shared], Any], inside: int) -> Any:
    """An expression without its literals: equal for two that one function can stand for.

    Args:
        expression: what.
        place: a number for each tensor.
        inside: how long the path of the block is in which it is written.
    """
    if isinstance(expression, Tensor | Shared):
        return ("tensor", place(expression))
    if isinstance(expression, Named):
        return ("name", expression.path[inside:])
    if isinstance(expression, Raw):
        return expression
    if is_literal(expression):
        return "?"
    head: Any = type(expression).__name__
    if isinstance(expression, Call):
        head = (
            expression.function if isinstance(expression.function, str) else "",
            len(expression.arguments),
            tuple(keyword for keyword, _ in expression.keywords),
        )
    elif isinstance(expression, Infix):
        head = expression.sign
    elif isinstance(expression, Index):
        head = ("index", expression.inside)
    return (head, *(form(part, place, inside) for part, _, _ in parts(expression)))


def number(value: Any) -> str:
    """A literal as a person writes it."""
    if isinstance(value, tuple):
        inner = ", ".join(map(number, value))
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    return re.sub(r"e-0(\d)", r"e-\1", repr(value)).replace("e+", "e")


@dataclass(eq=False)
class Step:
    """A statement: some tensors are what an expression gives; or a layer is made."""

    outputs: tuple[Tensor | Shared, ...]
    expression: Expression
    path: tuple[str, ...] = ()
    reads: tuple[Tensor | Shared, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.reads = tuple(dict.fromkeys(tensors(self.expression)))
