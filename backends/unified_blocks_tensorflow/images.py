"""Images with channels after the batch: TensorFlow on a CPU computes with channels at the end only.

So inside a block with layers of images a tensor is held by an `Image`, which turns its axes when
somebody asks for the other order: a run of layers turns what it is given once, and what it gives
once. No `Image` leaves the outermost block, and no layer of somebody else gets one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

RANKS = (3, 4, 5)
TO_LAST = {rank: (0, *range(2, rank), 1) for rank in RANKS}
TO_FIRST = {rank: (0, rank - 1, *range(1, rank - 1)) for rank in RANKS}


def to_last(x: Any) -> Any:
    """`(n, c, *space)` as `(n, *space, c)`; what has no space as it is."""
    axes = TO_LAST.get(len(x.shape))
    return x if axes is None else turned(x, axes)


def to_first(x: Any) -> Any:
    """`(n, *space, c)` as `(n, c, *space)`; what has no space as it is."""
    axes = TO_FIRST.get(len(x.shape))
    return x if axes is None else turned(x, axes)


def turned(x: Any, axes: tuple[int, ...]) -> Any:
    return keras.ops.transpose(x, axes) if is_symbolic(x) else tf.transpose(x, axes)


def is_symbolic(x: Any) -> bool:
    return isinstance(x, keras.KerasTensor)


class Image:
    """A tensor `(n, c, *space)`, held in that order, with its channels at the end, or in both.

    To a forward it is that tensor: it has its shape and dtype, its operators and those of `ub.ops`,
    and the functions of TensorFlow and Keras take it.
    """

    __slots__ = ("_first", "_last")

    def __init__(self, first: Any = None, last: Any = None) -> None:
        self._first, self._last = first, last

    @property
    def first(self) -> Any:
        """The tensor itself."""
        if self._first is not None:
            return self._first
        turned = to_first(self._last)
        if is_for_all(self._last):
            self._first = turned
        return turned

    @property
    def last(self) -> Any:
        """The same numbers as `(n, *space, c)`."""
        if self._last is not None:
            return self._last
        turned = to_last(self._first)
        if is_for_all(self._first):
            self._last = turned
        return turned

    @property
    def is_last(self) -> bool:
        """Whether it has been turned, so that what is computed from it is too."""
        return self._last is not None

    @property
    def held(self) -> Any:
        """The tensor in an order in which it is there."""
        return self._first if self._last is None else self._last

    @property
    def shape(self) -> tf.TensorShape:
        if self._first is not None:
            return tf.TensorShape(self._first.shape)
        sizes = tuple(self._last.shape)
        return tf.TensorShape([sizes[axis] for axis in TO_FIRST[len(sizes)]])

    @property
    def dtype(self) -> Any:
        return self.held.dtype

    @property
    def ndim(self) -> int:
        return len(self.held.shape)

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        return tf.convert_to_tensor(self.first, dtype, name=name)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.first.__array__(dtype)

    def __getattr__(self, name: str) -> Any:
        if name in vars(Image):  # its own, of one that is being copied and holds nothing yet
            raise AttributeError(name)
        return getattr(self.first, name)

    def __getitem__(self, key: Any) -> Any:
        return self.first[key]

    def __len__(self) -> int:
        return len(self.first)

    def __iter__(self) -> Any:
        return iter(self.first)

    def __bool__(self) -> bool:
        return bool(self.first)

    def __matmul__(self, other: Any) -> Any:
        return self.first @ tensor_of(other)

    def __rmatmul__(self, other: Any) -> Any:
        return other @ self.first

    __hash__ = object.__hash__


def is_for_all(x: Any) -> bool:
    """Whether what is computed from a tensor now can be used wherever it can.

    Not in a branch or loop of a graph, which is a graph of its own.
    """
    return tf.executing_eagerly() or getattr(x, "graph", None) is _graph()


_graph = tf.compat.v1.get_default_graph


def _give_operators() -> None:
    """Give `Image` the operators that take each element by itself."""

    def of_one(function: Any) -> Any:
        return lambda x: each(function, x)

    def of_two(function: Any) -> tuple[Any, Any]:
        return lambda a, b: each(function, a, b), lambda a, b: each(function, b, a)

    for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
        there, back = of_two(getattr(operator, name))
        setattr(Image, f"__{name}__", there)
        setattr(Image, f"__r{name}__", back)
    for name in ("lt", "le", "gt", "ge", "eq", "ne", "and_", "or_", "xor"):
        there, _ = of_two(getattr(operator, name))
        setattr(Image, f"__{name.rstrip('_')}__", there)
    for name in ("neg", "abs", "invert"):
        setattr(Image, f"__{name}__", of_one(getattr(operator, name)))


def each(function: Callable[..., Any], *values: Any) -> Any:
    """`function` of the elements of images, and of numbers beside them."""
    images = [value for value in values if type(value) is Image]
    fits = all(type(value) is Image or is_one(value) for value in values)
    if not fits or len({image.ndim for image in images}) > 1:
        return function(*map(tensor_of, values))
    if any(image.is_last for image in images):
        return Image(last=function(*(v.last if type(v) is Image else v for v in values)))
    return Image(first=function(*map(tensor_of, values)))


def is_one(value: Any) -> bool:
    """Whether a value is no tensor, or one of a single number."""
    shape = getattr(value, "shape", ())
    return shape is not None and len(shape) == 0


def tensor_of(value: Any) -> Any:
    """The tensor that an `Image` is; other values as they are."""
    return value.first if type(value) is Image else value


def tensors_of(values: Any) -> Any:
    """`values`, with tensors in the places of images, in lists, tuples and dicts too."""
    if type(values) is Image:
        return values.first
    if tf.is_tensor(values):
        return values
    return tf.nest.map_structure(tensor_of, values)


_give_operators()
