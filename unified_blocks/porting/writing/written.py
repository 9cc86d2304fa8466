"""What a target writes: source code, and the numbers that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unified_blocks.porting.graph import Value
from unified_blocks.types import Shape, State


@dataclass(frozen=True)
class Called:
    """A call of a layer or block.

    Attributes:
        value: of the graph, which it gives; none where it gives a part of what one is made of.
        order: which axis of the value each axis is of what it gives; none where it has them as the
            graph has.
    """

    value: Value | None
    order: Shape = ()


@dataclass(frozen=True)
class Written:
    """A network as source code of one target.

    Attributes:
        source: Python, formatted as ruff would; it imports the framework of the target only.
        state: the numbers under the names, and in the layout, in which the target holds them: what
            its file of weights holds.
        names: of each array of the network that was read, its name in `state`.
        layers: of each layer and block, by dotted name, its calls, as the graph has them;
            some of them give values.
        turned: of each value that the target holds with its axes in another order, which axis of
            the graph each of its axes is: `there = here.transpose(order)`.
    """

    source: str
    state: State
    names: Mapping[str, str]
    layers: Mapping[str, tuple[Called, ...]]
    turned: Mapping[Value, Shape] = field(default_factory=dict)
