"""Where the channels of images are: what `layout=` or `use_layout` says, or after the batch.

A layer means the same in both layouts: its parameters are the same, and what it takes and gives are
the same numbers, with the channels moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal

from unified_blocks.errors import UnsupportedError

Layout = Literal["channels_first", "channels_last"]
"""`(n, c, h, w)`, or `(n, h, w, c)`; likewise for one and three axes of space."""

LAYOUTS: tuple[Layout, ...] = ("channels_first", "channels_last")

chosen_layout: ContextVar[Layout | None] = ContextVar("unified_blocks_layout", default=None)
"""What `use_layout` says; None outside of it."""


def layout_name(layout: Any) -> Layout:
    """`layout`, if it is one.

    Raises:
        ValueError: when it is not.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}; got layout={layout!r}")
    return layout  # type: ignore[no-any-return]


def default_layout() -> Layout:
    """The layout of a layer that is given none."""
    return chosen_layout.get() or "channels_first"


@contextmanager
def use_layout(layout: str) -> Iterator[None]:
    """Give every layer made inside the `with` this layout of images.

    It holds for the current thread or async task only. `"channels_first"`, the default, is
    `(n, c, h, w)`; `"channels_last"` is `(n, h, w, c)`. The state of a network is the same in both.

    Raises:
        ValueError: for another name.

    Example::

        with ub.use_layout("channels_last"):
            net = ub.MySequential(ub.Conv2D(8, 3), ub.ReLU())   # (n, h, w, c) to (n, h', w', 8)
    """
    token = chosen_layout.set(layout_name(layout))
    try:
        yield
    finally:
        chosen_layout.reset(token)


def channels_axis() -> int:
    """The axis of the channels in layers that are made now: 1, or -1 in `"channels_last"`.

    For a block whose forward names the axis: ask in its constructor, and keep the answer.

    Example::

        class Joined(ub.Block):
            def __init__(self):
                super().__init__()
                self.axis = ub.channels_axis()

            def forward(self, X, Y):
                return ub.ops.concat([X, Y], axis=self.axis)
    """
    return 1 if default_layout() == "channels_first" else -1


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
                f'{block}: in the layout "channels_last" a graph of MXNet does not tell where an '
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
