"""The layers of Keras whose variables have canonical names, by what Keras calls them.

Keras numbers the variables of a layer, so that only the kind of layer says what they are: the first
one is `(in, out)` in a dense layer and `(vocabulary, width)` in an embedding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unified_blocks.types import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Family:
    """A kind of layer.

    Attributes:
        kind: what this library calls it.
        keras: what Keras calls it.
        names: the canonical names of its variables in Keras' order.
        options: for each name the option that switches the variable on and off, if there is one.
        fits: whether shapes in Keras' layout can be those of `names`, all of them.
        axes: the number of axes of the weight, if Keras orders them differently; else 0.
    """

    kind: str
    keras: str
    names: tuple[str, ...]
    options: tuple[str | None, ...]
    fits: Callable[[dict[str, Shape]], bool]
    axes: int = 0

    @property
    def snake(self) -> str:
        """Its name in paths: Conv2DTranspose is conv2d_transpose."""
        words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", self.keras)
        return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()

    def canonical_shape(self, name: str, shape: Shape) -> Shape:
        """The shape of a variable in canonical layout."""
        return _reordered(shape, self._order(name, len(shape)))

    def keras_shape(self, name: str, shape: Shape) -> Shape:
        """A canonical shape, as Keras has it."""
        order = self._order(name, len(shape))
        if order is None or len(order) != len(shape):
            return shape
        return _reordered(shape, tuple(np.argsort(order)))

    def to_canonical(self, name: str, array: Array) -> Array:
        """A variable as Keras lays it out, in canonical layout."""
        order = self._order(name, array.ndim)
        return array if order is None else array.transpose(order)

    def to_keras(self, name: str, array: Array) -> Array:
        """A variable in canonical layout, as Keras lays it out."""
        order = self._order(name, array.ndim)
        return array if order is None else array.transpose(np.argsort(order))

    def unsettled(self, shape: Shape) -> bool:
        """Whether nothing tells which axes of a variable of this shape are the channels."""
        return self.kind == "LayerNorm" and len(shape) > 1

    def _order(self, name: str, rank: int) -> tuple[int, ...] | None:
        """(…, in, out) becomes (out, in, …); of a norm over images the channels come first."""
        if self.kind == "LayerNorm" and rank > 2:
            return (rank - 1, *range(rank - 1))
        if name != "weight" or not self.axes:
            return None
        return (self.axes - 1, self.axes - 2, *range(self.axes - 2))


def _reordered(shape: Shape, order: tuple[int, ...] | None) -> Shape:
    return shape if order is None else tuple(shape[axis] for axis in order)


def _kernel_fits(axes: int, out: int) -> Callable[[dict[str, Shape]], bool]:
    def fits(shapes: dict[str, Shape]) -> bool:
        weight = shapes["weight"]
        return len(weight) == axes and shapes.get("bias", (weight[out],)) == (weight[out],)

    return fits


def _all_equal(shapes: dict[str, Shape]) -> bool:
    return len(set(shapes.values())) == 1


def _vectors(shapes: dict[str, Shape]) -> bool:
    return _all_equal(shapes) and all(len(shape) == 1 for shape in shapes.values())


def _with_kernel(kind: str, axes: int, out: int = -1) -> Family:
    return Family(kind, kind, ("weight", "bias"), (None, "use_bias"), _kernel_fits(axes, out), axes)


FAMILIES = (
    _with_kernel("Dense", 2),
    Family("Embedding", "Embedding", ("weight",), (None,), lambda s: len(s["weight"]) == 2),
    Family("LayerNorm", "LayerNormalization", ("weight", "bias"), ("scale", "center"), _all_equal),
    Family(
        "BatchNorm",
        "BatchNormalization",
        ("weight", "bias", "running_mean", "running_var"),
        ("scale", "center", None, None),
        _vectors,
    ),
    *(_with_kernel(f"Conv{n}D", n + 2) for n in (1, 2, 3)),
    *(_with_kernel(f"Conv{n}DTranspose", n + 2, out=-2) for n in (1, 2, 3)),
)
BY_KIND = {name: family for family in FAMILIES for name in (family.kind, family.keras)}
BY_SNAKE = {family.snake: family for family in FAMILIES}


def of_automatic_name(name: str) -> Family | None:
    """The family of a layer that Keras has called `name`: dense, dense_1, …"""
    return BY_SNAKE.get(re.sub(r"_[0-9]+$", "", name))
