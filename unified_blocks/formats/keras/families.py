"""The layers of Keras whose variables have canonical names, by what Keras calls them.

Keras numbers the variables of a layer, so that only the kind of layer says what they are: the first
one is `(in, out)` in a dense layer and `(vocabulary, width)` in an embedding.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

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
        apart: the weight that convolves each channel apart, `(…, in, multiplier)` in Keras.
        shared: whether Keras has axes of size 1 where one number is for all along them.
        over_images: whether Keras has the channels of its variables at the end, if there are such.
        constant: the variables that are not trained.
        whole: the variable that holds a whole number.
        several: the side of a dense weight that has several axes in Keras, if one has.
    """

    kind: str
    keras: str
    names: tuple[str, ...]
    options: tuple[str | None, ...]
    fits: Callable[[dict[str, Shape]], bool]
    axes: int = 0
    apart: str | None = None
    shared: bool = False
    over_images: bool = False
    constant: tuple[str, ...] = ()
    whole: str | None = None
    several: Literal["in", "out"] | None = None

    def parts(self, name: str) -> tuple[str, ...]:
        """The canonical variables in one of Keras'."""
        return (name,)

    @property
    def snake(self) -> str:
        """Its name in paths: Conv2DTranspose is conv2d_transpose."""
        words = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", self.keras.rpartition(".")[2])
        return re.sub(r"([a-z])([A-Z])", r"\1_\2", words).lower()

    def canonical_shape(self, name: str, shape: Shape) -> Shape:
        """The shape of a variable in canonical layout."""
        if name == self.apart:
            *space, channels, multiplier = shape
            return (channels * multiplier, 1, *space)
        if self.shared:
            apart = tuple(size for size in shape if size != 1)
            return shape if len(apart) > 1 else apart or (1,)
        if self.several is not None:
            if name == "bias":
                return (math.prod(shape),)
            cut = 1 if self.several == "out" else len(shape) - 1
            return (math.prod(shape[cut:]), math.prod(shape[:cut]))
        return _reordered(shape, self._order(name, len(shape)))

    def keras_shape(self, name: str, shape: Shape) -> Shape:
        """A canonical shape, as Keras has it."""
        order = self._order(name, len(shape))
        if order is None or len(order) != len(shape):
            return shape
        return _reordered(shape, tuple(np.argsort(order)))

    def to_canonical(self, name: str, array: Array) -> Array:
        """A variable as Keras lays it out, in canonical layout."""
        if name == self.apart:
            space = array.ndim - 2
            moved = array.transpose((space, space + 1, *range(space)))
            return moved.reshape(self.canonical_shape(name, array.shape))
        if self.shared:
            return array.reshape(self.canonical_shape(name, array.shape))
        if self.several is not None:
            shape = self.canonical_shape(name, array.shape)
            return array.reshape(shape[::-1]).T
        order = self._order(name, array.ndim)
        return array if order is None else array.transpose(order)

    def to_keras(self, name: str, array: Array) -> Array:
        """A variable in canonical layout, as Keras lays it out."""
        order = self._order(name, array.ndim)
        return array if order is None else array.transpose(np.argsort(order))

    def is_unsettled(self, shape: Shape) -> bool:
        """Whether it is a guess which axes of a variable of this shape are the channels."""
        return self.over_images and len(shape) > 1

    def _order(self, name: str, axes: int) -> tuple[int, ...] | None:
        """(…, in, out) becomes (out, in, …)."""
        if self.over_images and axes > 2:
            return (axes - 1, *range(axes - 1))
        if not name.endswith("weight") or not self.axes:
            return None
        return (self.axes - 1, self.axes - 2, *range(self.axes - 2))


def _reordered(shape: Shape, order: tuple[int, ...] | None) -> Shape:
    return shape if order is None else tuple(shape[axis] for axis in order)


def _kernel_fits(axes: int, out: int) -> Callable[[dict[str, Shape]], bool]:
    def fits(shapes: dict[str, Shape]) -> bool:
        weight = shapes["weight"]
        return len(weight) == axes and shapes.get("bias", (weight[out],)) == (weight[out],)

    return fits


NAMES = ("weight_ih", "weight_hh", "bias")
BIASES = ("bias_ih", "bias_hh")


@dataclass(frozen=True)
class CellFamily(Family):
    """A kind of cell, of so many gates."""

    gates: int = 1

    def parts(self, name: str) -> tuple[str, ...]:
        return BIASES if name == "bias" else (name,)

    def canonical_shape(self, name: str, shape: Shape) -> Shape:
        return shape[-1:] if name in BIASES else shape[::-1]

    def keras_shape(self, name: str, shape: Shape) -> Shape:
        return shape if name == "bias" else shape[::-1]

    def to_canonical(self, name: str, array: Array) -> Array:
        if name not in BIASES:
            return self.ordered(array.T)
        if self.gates == 3:
            return self.ordered(array[BIASES.index(name)])
        return array if name == BIASES[0] else np.zeros_like(array)

    def to_keras(self, name: str, array: Array) -> Array:
        return array if name == "bias" else self.ordered(array).T

    def ordered(self, array: Array) -> Array:
        """Gates as others have them; the same again is as Keras has them."""
        if self.gates != 3:
            return array
        first, second, third = np.split(array, 3)
        return np.concatenate([second, first, third])


def _cell(kind: str, keras: str, gates: int) -> CellFamily:
    def fits(shapes: dict[str, Shape]) -> bool:
        kernel, recurrent = shapes["weight_ih"], shapes["weight_hh"]
        if len(kernel) != 2 or len(recurrent) != 2 or kernel[1] != recurrent[1]:
            return False
        biases = (2, kernel[1]) if gates == 3 else kernel[1:]
        return kernel[1] == gates * recurrent[0] and shapes.get("bias", biases) == biases

    options = (None, None, "use_bias")
    return CellFamily(f"{kind}Cell", f"{keras}Cell", NAMES, options, fits, gates=gates)


CELLS = (
    _cell("RNN", "SimpleRNN", 1),
    _cell("LSTM", "LSTM", 4),
    _cell("GRU", "GRU", 3),
)
"""The cells of recurrent layers, of which Keras has the variables."""


def _all_equal(shapes: dict[str, Shape]) -> bool:
    return len(set(shapes.values())) == 1


def _vectors(shapes: dict[str, Shape]) -> bool:
    return _all_equal(shapes) and all(len(shape) == 1 for shape in shapes.values())


def _depthwise_fits(axes: int) -> Callable[[dict[str, Shape]], bool]:
    def fits(shapes: dict[str, Shape]) -> bool:
        weight = shapes["weight"]
        if len(weight) != axes:
            return False
        made = (weight[-2] * weight[-1],)
        return shapes.get("bias", made) == made

    return fits


def _separable_fits(axes: int) -> Callable[[dict[str, Shape]], bool]:
    def fits(shapes: dict[str, Shape]) -> bool:
        deep, point = shapes["depthwise.weight"], shapes["pointwise.weight"]
        if not len(deep) == len(point) == axes or set(point[:-2]) != {1}:
            return False
        made = point[-1:]
        return deep[-2] * deep[-1] == point[-2] and shapes.get("pointwise.bias", made) == made

    return fits


def _adapted(shapes: dict[str, Shape]) -> bool:
    return shapes["mean"] == shapes["variance"] and shapes["count"] == ()


def _with_kernel(kind: str, axes: int, out: int = -1) -> Family:
    return Family(kind, kind, ("weight", "bias"), (None, "use_bias"), _kernel_fits(axes, out), axes)


_KERNEL = (("weight", "bias"), (None, "use_bias"))
_SEPARABLE = (
    ("depthwise.weight", "pointwise.weight", "pointwise.bias"),
    (None, None, "use_bias"),
)
_NORM = (("weight", "bias"), ("scale", "center"))
STATISTICS = ("running_mean", "running_var")
_IN, _OUT = "MultiHeadAttention.query_dense", "MultiHeadAttention.output_dense"
IN_ATTENTION = {
    "query_dense": ("query", _IN),
    "key_dense": ("key", _IN),
    "value_dense": ("value", _IN),
    "gate_dense": ("gate", _IN),
    "output_dense": ("out", _OUT),
}
"""The dense layers inside Keras' attention: their canonical names and kinds."""
ONLY_READ = (
    Family("Dense", _IN, *_KERNEL, lambda s: len(s["weight"]) > 2, several="out"),
    Family("Dense", _OUT, *_KERNEL, lambda s: len(s["weight"]) > 2, several="in"),
    *(
        Family(f"Conv{n}D", f"DepthwiseConv{n}D", *_KERNEL, _depthwise_fits(n + 2), apart="weight")
        for n in (1, 2)
    ),
    *(
        Family(
            f"Conv{n}D",
            f"SeparableConv{n}D",
            *_SEPARABLE,
            _separable_fits(n + 2),
            n + 2,
            apart="depthwise.weight",
        )
        for n in (1, 2)
    ),
    Family(
        "Normalization",
        "Normalization",
        ("mean", "variance", "count"),
        (None, None, None),
        _adapted,
        constant=("mean", "variance", "count"),
        whole="count",
    ),
    Family("PReLU", "PReLU", ("weight",), (None,), lambda s: True, shared=True),
    Family(
        "LayerScale",
        "keras.src.applications.convnext.LayerScale",
        ("gamma",),
        (None,),
        lambda s: len(s["gamma"]) == 1,
    ),
)
"""What other frameworks have as a grouped convolution or as two layers, or do not have; and slopes,
which Keras has in the shape of its inputs."""

FAMILIES = (
    _with_kernel("Dense", 2),
    Family("Embedding", "Embedding", ("weight",), (None,), lambda s: len(s["weight"]) == 2),
    Family("LayerNorm", "LayerNormalization", *_NORM, _all_equal, over_images=True),
    Family("RMSNorm", "RMSNormalization", ("weight",), (None,), lambda s: True, over_images=True),
    Family("GroupNorm", "GroupNormalization", *_NORM, _vectors),
    Family(
        "BatchNorm",
        "BatchNormalization",
        ("weight", "bias", *STATISTICS),
        ("scale", "center", None, None),
        _vectors,
        constant=STATISTICS,
    ),
    *(_with_kernel(f"Conv{n}D", n + 2) for n in (1, 2, 3)),
    *(_with_kernel(f"Conv{n}DTranspose", n + 2, out=-2) for n in (1, 2, 3)),
)
WRITTEN = (*FAMILIES, *CELLS)
"""What is written as well."""
BY_KIND = {
    name: family
    for family in (*ONLY_READ, *CELLS, *FAMILIES)
    for name in (family.kind, family.keras)
}
BY_SNAKE = {f.snake: f for f in (*ONLY_READ, *CELLS, *FAMILIES) if "." not in f.keras}


def of_automatic_name(name: str) -> Family | None:
    """The family of a layer that Keras has called `name`: dense, dense_1, …"""
    return BY_SNAKE.get(without_number(name))


def without_number(name: str) -> str:
    """What is before the number in the name of a layer: dense_1 is dense."""
    return re.sub(r"_[0-9]+$", "", name)
