"""How a layer may have been made, as far as its numbers tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One way to make a layer that gives what it gave.

    Attributes:
        layer: all but its padding: sizes, strides, an activation. None stands for any.
        padding: how much of it is before each axis, and what it is made of.
    """

    layer: tuple[Any, ...]
    padding: tuple[Any, ...]

    def is_layer_of(self, other: Setting) -> bool:
        pairs = zip(self.layer, other.layer, strict=True)
        return all(x == y or None in (x, y) for x, y in pairs)


def differ_in_padding(
    right: Iterable[Setting], wrong: Iterable[Setting], shapes_differ: bool
) -> bool:
    """Whether two layers differ in their padding, and may not differ in anything else.

    Args:
        right, wrong: all ways to make each.
        shapes_differ: whether they give another shape: what is after an axis differs, too.
    """
    pairs = [(a, b) for a in right for b in wrong]
    alike = [(a, b) for a, b in pairs if a.is_layer_of(b)]
    # One image that is padded alike may also have gone through two layers.
    doubtful = any(a.padding == b.padding and not a.is_layer_of(b) for a, b in pairs)
    return not doubtful and any(shapes_differ or a.padding != b.padding for a, b in alike)
