"""An axis that a layer goes along, in both layouts of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.layouts import Layout, default_layout


@dataclass(frozen=True)
class Axis:
    """An axis that a layer of images goes along, told as an axis of `(n, c, *space)`.

    Attributes:
        given: its number, or `"channels"`.
        layout: that of the layer.
    """

    given: int | str
    layout: Layout

    @classmethod
    def of(cls, block: str, axis: Any) -> Axis:
        """That of a layer that is made now.

        Raises:
            ValueError: for another text.
        """
        if isinstance(axis, str) and axis != "channels":
            raise ValueError(f'{block}: axis must be a number or "channels"; got axis={axis!r}')
        return cls(axis, default_layout())

    @property
    def fixed(self) -> int | None:
        """Its number; None when it depends on how many axes there are."""
        first = self.layout == "channels_first"
        if isinstance(self.given, str):
            return 1 if first else -1
        return self.given if first else None

    def among(self, block: str, x: Any) -> int:
        """Its number among the axes of the tensor `x`, which a layer of the name `block` takes.

        Images have four axes or more; what has two or three is taken as it is.

        Raises:
            UnsupportedError: when it is not known how many axes there are.
            ValueError: for what may be a sequence, `(n, t, c)`, or an image, `(n, c, t)`.
        """
        if self.fixed is not None:
            return self.fixed
        assert isinstance(self.given, int)
        shape = getattr(x, "shape", None)
        if shape is None:
            raise UnsupportedError(
                f'{block}: in the layout "channels_last" symbols of a graph do not tell where an '
                f'axis is; got axis={self.given}: write axis="channels", if it is theirs, or '
                "leave this block, and any around it, unhybridized"
            )
        rank = len(shape)
        axis = self.given + rank if self.given < 0 else self.given
        if rank == 3 and axis == 1:
            raise ValueError(
                f'{block}: in the layout "channels_last" axis 1 of three may be that of the '
                f'channels or that of time; got axis={self.given}: write axis="channels"'
            )
        if rank < 4 or not 0 < axis < rank:
            return self.given
        return rank - 1 if axis == 1 else axis - 1
