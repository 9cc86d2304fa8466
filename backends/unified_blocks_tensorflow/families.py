"""Keras' own layers whose variables have canonical names, and the layout of each variable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

import unified_blocks as ub
from unified_blocks_tensorflow.projections import ATTENTION, Flat, projection_of

Shape = tuple[int, ...]


class Layout(Protocol):
    """How Keras lays a variable out, where that is not the canonical way."""

    def shape(self, native: Shape) -> Shape:
        """The canonical shape of what has this one in Keras."""

    # TensorFlow moves the numbers: NumPy takes ten times as long to transpose a large matrix.

    def to_canonical(self, array: Any) -> Any:
        """`array` as Keras lays it out, in canonical layout."""

    def to_native(self, array: Any, native: Shape) -> Any:
        """`array`, in canonical layout, as Keras lays it out, in this shape."""


@dataclass(frozen=True)
class Axes:
    """The order of Keras' axes in canonical layout."""

    order: tuple[int, ...]

    def shape(self, native):
        return tuple(native[axis] for axis in self.order)

    def to_canonical(self, array):
        return tf.transpose(array, self.order)

    def to_native(self, array, native):
        return tf.transpose(array, np.argsort(self.order))


class Depthwise:
    """`(…, in, multiplier)` is `(in · multiplier, 1, …)`, of a convolution of `in` groups."""

    def shape(self, native):
        *space, channels, multiplier = native
        return (channels * multiplier, 1, *space)

    def to_canonical(self, array):
        native = tuple(array.shape)
        rank = len(native) - 2
        return tf.reshape(tf.transpose(array, (rank, rank + 1, *range(rank))), self.shape(native))

    def to_native(self, array, native):
        *space, channels, multiplier = native
        apart = tf.reshape(array, (channels, multiplier, *space))
        return tf.transpose(apart, (*range(2, len(native)), 0, 1))


@dataclass(frozen=True)
class Without:
    """Axes of size 1 that other frameworks leave out."""

    axes: tuple[int, ...]

    def shape(self, native):
        left_out = {range(len(native))[axis] for axis in self.axes}
        return tuple(n for axis, n in enumerate(native) if axis not in left_out) or (1,)

    def to_canonical(self, array):
        return tf.reshape(array, self.shape(tuple(array.shape)))

    def to_native(self, array, native):
        return tf.reshape(array, native)


class Part(Protocol):
    """Which numbers of a variable of Keras are a canonical variable, where it holds two.

    Attributes:
        is_zero: whether its numbers count as 0, because Keras has them in those of the other.
    """

    @property
    def is_zero(self) -> bool: ...

    def shape(self, native: Shape) -> Shape:
        """Its shape in a variable of this one."""

    def of(self, array: Any) -> Any:
        """Its numbers in those of the whole; of a gradient, too."""

    def merged(self, array: Any, before: Any) -> Any:
        """The whole, which was `before`, with `array` in its place."""


@dataclass(frozen=True)
class Held:
    """A variable that layers of a family hold.

    Attributes:
        name, attribute: what it is called canonically and in Keras.
        there: whether a layer has it.
        layout: that of Keras for a layer; None where it is canonical.
        constant: whether it is one.
        optional, kind: see `Variable`.
        holder: what has the attribute, of a layer.
        part: which part of the variable it is; None of one that is all of it.
        sizes: its canonical shape while the layer is not built, and `axes` how many the input of
            the layer has, whose last size is the second of its first variable.
    """

    name: str
    attribute: str
    there: Callable[[Any], Any] = lambda layer: True
    layout: Callable[[Any], Layout | None] = lambda layer: None
    constant: bool = False
    optional: bool = False
    kind: str | None = None
    holder: Callable[[Any], Any] = lambda layer: layer
    part: Part | None = None
    sizes: Callable[[Any], tuple[int | None, ...]] | None = None
    axes: int = 0


def kernel(rank: int) -> tuple[Held, Held]:
    """A weight of so many axes, `(…, in, out)` in Keras and `(out, in, …)` canonically; a bias.

    Of a transposed convolution they are `(…, out, in)` and `(in, out, …)`: the same order.
    """
    return (
        Held("weight", "kernel", layout=lambda layer: _to_front(rank)),
        Held("bias", "bias", attrgetter("use_bias")),
    )


def _to_front(rank: int) -> Axes:
    return Axes((rank - 1, rank - 2, *range(rank - 2)))


def depthwise(rank: int) -> tuple[Held, Held]:
    """A convolution of each channel apart."""
    kind = f"DepthwiseConv{rank - 2}D"
    return (
        Held("weight", "kernel", layout=lambda layer: Depthwise(), kind=kind),
        Held("bias", "bias", attrgetter("use_bias"), kind=kind),
    )


def separable(rank: int) -> tuple[Held, ...]:
    """A depthwise convolution and one of size 1: other frameworks have two layers."""
    kind = f"SeparableConv{rank - 2}D"
    front = _to_front(rank)
    return (
        Held("depthwise.weight", "depthwise_kernel", layout=lambda layer: Depthwise(), kind=kind),
        Held("pointwise.weight", "pointwise_kernel", layout=lambda layer: front, kind=kind),
        Held("pointwise.bias", "bias", attrgetter("use_bias"), kind=kind),
    )


def axes_of(layer: Any) -> list[int]:
    """The axes that a norm is over."""
    return list(layer.axis) if isinstance(layer.axis, list | tuple) else [layer.axis]


def over_images(layer: Any) -> Axes | None:
    """The layout of a weight for each number of an image, whose channels Keras has at the end."""
    rank = len(axes_of(layer))
    if (
        isinstance(layer, ub.Block)
        or rank < 3
        or keras.config.image_data_format() == "channels_first"
    ):
        return None
    return Axes((rank - 1, *range(rank - 1)))


def shared_by(layer: Any) -> Layout | None:
    """The layout of the slopes of a PReLU, which has them once along its shared axes."""
    return Without(tuple(i - 1 for i in layer.shared_axes)) if layer.shared_axes else None


NORM = (
    Held("weight", "gamma", attrgetter("scale")),
    Held("bias", "beta", attrgetter("center")),
)
FAMILIES: dict[type[keras.layers.Layer], tuple[Held, ...]] = {
    keras.layers.Dense: kernel(2),
    keras.layers.EinsumDense: (
        Held("weight", "kernel", layout=projection_of),
        Held("bias", "bias", attrgetter("bias_axes"), layout=lambda layer: Flat()),
    ),
    keras.layers.Conv1D: kernel(3),
    keras.layers.Conv1DTranspose: kernel(3),
    keras.layers.Conv2D: kernel(4),
    keras.layers.Conv2DTranspose: kernel(4),
    keras.layers.Conv3D: kernel(5),
    keras.layers.Conv3DTranspose: kernel(5),
    keras.layers.DepthwiseConv1D: depthwise(3),
    keras.layers.DepthwiseConv2D: depthwise(4),
    keras.layers.SeparableConv1D: separable(3),
    keras.layers.SeparableConv2D: separable(4),
    keras.layers.Embedding: (Held("weight", "embeddings"),),
    keras.layers.LayerNormalization: (
        Held("weight", "gamma", lambda layer: layer.scale or layer.rms_scaling, over_images),
        Held("bias", "beta", lambda layer: layer.center and not layer.rms_scaling, over_images),
    ),
    keras.layers.RMSNormalization: (Held("weight", "scale", layout=over_images),),
    keras.layers.GroupNormalization: NORM,
    keras.layers.BatchNormalization: (
        *NORM,
        Held("running_mean", "moving_mean", constant=True),
        Held("running_var", "moving_variance", constant=True),
    ),
    keras.layers.PReLU: (Held("weight", "alpha", layout=shared_by),),
    keras.layers.Normalization: tuple(  # one that was made with its mean holds no variables
        Held(name, attribute, lambda layer: layer.input_mean is None, constant=True, optional=extra)
        for name, attribute, extra in (
            ("mean", "adapt_mean", False),
            ("variance", "adapt_variance", False),
            ("count", "count", True),
        )
    ),
}
"""Keras' own layers whose variables have canonical names, and what they hold."""


def family_of(layer: Any) -> tuple[Held, ...] | None:
    """What a layer holds, if it is of a family."""
    if isinstance(layer, keras.layers.EinsumDense) and projection_of(layer) is None:
        return None
    return next((held for cls, held in FAMILIES.items() if isinstance(layer, cls)), None)


TRANSPOSED = (
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)
NORMS_OVER_AXES = (keras.layers.LayerNormalization, keras.layers.RMSNormalization)
NORMS_OF_CHANNELS = (keras.layers.BatchNormalization, keras.layers.GroupNormalization)
BUILT_BY_INPUTS = (
    *NORMS_OF_CHANNELS,
    keras.layers.EinsumDense,
    keras.layers.Normalization,
    keras.layers.PReLU,
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
)
"""What Keras cannot build by the shape of a weight alone."""
SEPARABLE = (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D)
KINDS = {
    **{cls: cls.__name__ for cls in FAMILIES if cls not in SEPARABLE},
    keras.layers.EinsumDense: "Dense",
    **dict.fromkeys(ATTENTION, "MultiHeadAttention"),
    keras.layers.LayerNormalization: "LayerNorm",
    keras.layers.RMSNormalization: "RMSNorm",
    keras.layers.GroupNormalization: "GroupNorm",
    keras.layers.BatchNormalization: "BatchNorm",
    keras.layers.DepthwiseConv1D: "Conv1D",
    keras.layers.DepthwiseConv2D: "Conv2D",
    **{getattr(keras.layers, f"MaxPooling{n}D"): f"MaxPool{n}D" for n in (1, 2, 3)},
    **{getattr(keras.layers, f"AveragePooling{n}D"): f"AvgPool{n}D" for n in (1, 2, 3)},
}
"""What this library calls them, but for those that are two layers elsewhere."""
