"""What each operation has: its options, the shapes that it gives, and its numbers by NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from unified_blocks.types import Array, Shape

Given = list[tuple[Shape, str]]
"""Shape and dtype of each output."""


class Typed(Protocol):
    """What is known of an input before it is computed."""

    @property
    def shape(self) -> Shape: ...

    @property
    def dtype(self) -> str: ...


class Operation:
    """Base of the operations. Each is a frozen dataclass whose fields are its options."""

    def infer(self, *inputs: Any) -> Given:
        """Shape and dtype of each output, of those of the inputs.

        Raises:
            ValueError: where they do not fit.
        """
        raise NotImplementedError

    def compute(self, *arrays: Array) -> Any:
        """The output by NumPy, in the dtype of the inputs; several in a tuple."""
        raise NotImplementedError


class Same(Operation):
    """Base of the operations that give the shape and the dtype of what they take first."""

    def infer(self, *inputs: Any) -> Given:
        return [(inputs[0].shape, inputs[0].dtype)]


def axis_of(axis: int, rank: int) -> int:
    """An axis counted from the front.

    Raises:
        ValueError: where there is none.
    """
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} of {rank} axes")
    return axis % rank


def axes_of(axes: Sequence[int], rank: int) -> tuple[int, ...]:
    """Axes counted from the front, in order."""
    return tuple(sorted(axis_of(axis, rank) for axis in axes))
