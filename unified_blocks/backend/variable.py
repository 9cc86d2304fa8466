"""`Variable`: one array of numbers that a model holds, in canonical name and layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from unified_blocks.types import Array

Role = Literal["parameter", "constant"]


Shape = tuple[int | None, ...]


class Variable(ABC):
    """One array of numbers that a model holds, seen in canonical name and layout.

    Attributes:
        name: dotted attribute names, `"net.0.weight"`.
        role: `"parameter"` when it has a gradient, else `"constant"`.
        owner: the layer or block whose own attribute it is.
        aliases: the other names of a shared one.
        is_tied: whether other layers than `owner` hold it too.
        optional: whether another model that computes the same may lack it: a count of batches,
            or a weight that the framework holds at 1.
        obstacle: if it does not exist yet and `write` cannot create it, why not.
        kind: what holds it, where that is neither one of `Backend.kinds` nor the class of `owner`:
            each array of a separable convolution belongs to a layer of its own elsewhere.
        foreign: whether it belongs to a layer of a kind that this library does not know: its name
            and its layout are the framework's own then. `reason` says more of it, in words.
        groups: of a norm over groups of channels, how many it has.
        per_group: whether a norm over groups of channels has one number for each group, as Gluon's
            own, where others have one for each channel.
        unsettled: whether the layer does not tell which of the axes are the channels, so that
            the canonical layout is a guess.
        sum_with: the name of a variable whose array holds the sum of both, while this one counts
            as 0: of the two biases of a recurrent layer that has one.
        stored_name: its name in files of its framework, where that does not follow from the others.
    """

    name: str
    role: Role
    owner: Any
    aliases: tuple[str, ...] = ()
    is_tied: bool = False
    optional: bool = False
    obstacle: str | None = None
    kind: str | None = None
    foreign: bool = False
    groups: int | None = None
    per_group: bool = False
    reason: str = ""
    unsettled: bool = False
    sum_with: str | None = None
    stored_name: str | None = None

    def is_also(self, other: Variable) -> None:
        """Merge `other`, which is the same array under another name."""
        self.aliases += (other.name,)
        self.is_tied |= other.owner is not self.owner

    @property
    @abstractmethod
    def shape(self) -> Shape | None:
        """The canonical shape; None in place of a size, or of all of it, that is not known yet."""

    @property
    @abstractmethod
    def dtype(self) -> str:
        """The canonical name of the dtype."""

    @property
    @abstractmethod
    def device(self) -> str | None:
        """Where the numbers are; None before they exist."""

    @property
    @abstractmethod
    def trainable(self) -> bool:
        """Whether it has a gradient: it is a parameter, and was not frozen."""

    @abstractmethod
    def freeze(self) -> None:
        """Exclude a parameter from training: it keeps its role, but has no gradient."""

    @property
    @abstractmethod
    def is_built(self) -> bool:
        """Whether the numbers exist."""

    @abstractmethod
    def view(self) -> Array:
        """The numbers in canonical layout, without a copy where the framework allows it.

        Those of bfloat16, which NumPy lacks, are in float32.
        """

    def read(self) -> Array:
        """A copy of the numbers, in canonical layout."""
        return np.array(self.view(), order="C")

    def objection(self, read: Callable[[], Array]) -> str | None:
        """Why the numbers that `read` gives cannot be written, though shape and dtype fit."""
        return None

    @abstractmethod
    def write(self, array: Array) -> None:
        """Replace the numbers by `array`, whose shape and dtype fit; create them if needed."""
