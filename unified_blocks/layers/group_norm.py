"""`GroupNorm`, and `InstanceNorm`, which is one with a group for each channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from unified_blocks.block import argument
from unified_blocks.block.arguments import declared
from unified_blocks.layers.batch_norm import rounded, scaled
from unified_blocks.layers.images import ImageLayer
from unified_blocks.types import Array, State


class GroupNorm(ImageLayer):
    """`(X - mean) / √(var + ε) · weight + bias`, mean and variance over each group of channels.

    They are of each sample: over all numbers of the channels of the group. Training and inference
    are the same.

    Args:
        groups: g, which divides the number of channels: the first `c / g` channels are the first
            group.
        in_units: number of channels, c; if omitted, inferred from the first input.
        epsilon: ε, rounded to float32, as MXNet does. Default 1e-5, as PyTorch and Gluon (Keras
            has 1e-3).
        scale: whether there is a `weight`.
        center: whether there is a `bias`.
        layout: `"channels_first"` or `"channels_last"`; default: that of `use_layout`, or the
            first.
        dtype: floating-point type; default: that of `use_dtype`, or float32.

    Shape:
        Input `(n, c, *)`, output the same; in the layout `"channels_last"` `(n, *, c)`.

    Parameters (canonical names, initial values):
        `weight`: `(c,)`, ones; `bias`: `(c,)`, zeros: one for each channel, as PyTorch and Keras
        (Gluon has one for each group).

    Raises:
        ValueError: a number of channels that the groups do not divide.

    Source:
        Wu and He, "Group Normalization", 2018; the variance is biased.

    Example::

        layer = ub.GroupNorm(4)
        layer(ub.from_numpy(np.ones((2, 32, 8, 8), "float32")))  # (2, 32, 8, 8)
    """

    @declared
    def __init__(
        self,
        groups: int,
        *,
        in_units: int | None = None,
        epsilon: float = 1e-5,
        scale: bool = True,
        center: bool = True,
        layout: str | None = None,
        dtype: Any = None,
    ) -> None: ...

    @classmethod
    def check_arguments(cls, values: Mapping[str, Any]) -> None:
        if values["in_units"] is not None:
            cls.check_groups(values["groups"], values["in_units"])

    @classmethod
    def check_groups(cls, groups: int, channels: int) -> None:
        """Raise `ValueError` for channels that do not make so many groups."""
        if channels % groups:
            raise ValueError(
                f"{cls.__name__}: the number of channels must be a multiple of groups; got "
                f"{channels} channels and groups={groups}"
            )

    def of_channels_first(self, state: State, X: Array) -> Array:
        return in_groups(state, X, argument(self, "groups"), argument(self, "epsilon"))


class InstanceNorm(ImageLayer):
    """`(X - mean) / √(var + ε) · weight + bias`, mean and variance of each channel of each sample.

    It is a `GroupNorm` with as many groups as channels: training and inference are the same.

    Args:
        in_units: number of channels, c; if omitted, inferred from the first input.
        epsilon, scale, center, layout, dtype: as `GroupNorm` takes them. (In PyTorch there is
            neither weight nor bias by default, in Gluon no weight.)

    Shape:
        Input `(n, c, *)`, output the same; in the layout `"channels_last"` `(n, *, c)`.

    Parameters (canonical names, initial values):
        `weight`: `(c,)`, ones; `bias`: `(c,)`, zeros.

    Source:
        Ulyanov, Vedaldi and Lempitsky, "Instance Normalization", 2016; the variance is biased.

    Example::

        layer = ub.InstanceNorm(scale=False, center=False)  # as PyTorch's own by default
        X = np.array([[[1.0, 3.0], [0.0, 8.0]]], "float32")
        layer(ub.from_numpy(X))  # [[[-1.00, 1.00], [-1.00, 1.00]]]
    """

    @declared
    def __init__(
        self,
        *,
        in_units: int | None = None,
        epsilon: float = 1e-5,
        scale: bool = True,
        center: bool = True,
        layout: str | None = None,
        dtype: Any = None,
    ) -> None: ...

    def of_channels_first(self, state: State, X: Array) -> Array:
        return in_groups(state, X, X.shape[1], argument(self, "epsilon"))


def in_groups(state: State, X: Array, groups: int, epsilon: float) -> Array:
    """`X` normalised over each of so many groups of its channels."""
    apart = X.reshape(len(X), groups, -1)
    centred = apart - apart.mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    return scaled(state, (centred / np.sqrt(variance + rounded(epsilon))).reshape(X.shape))
