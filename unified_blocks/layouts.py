"""Where the channels of images are: what `layout=` or `use_layout` says, or after the batch.

A layer means the same in both layouts: its parameters are the same, and what it takes and gives are
the same numbers, with the channels moved.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal

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
            net = ub.MySequential(ub.Conv2D(8, 3), ub.ReLU())
        net(ub.from_numpy(np.ones((2, 10, 10, 3), "float32")))  # (2, 8, 8, 8)
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

        images = ub.from_numpy(np.ones((2, 3, 8, 8), "float32"))
        Joined()(images, images)  # (2, 6, 8, 8)
    """
    return 1 if default_layout() == "channels_first" else -1
