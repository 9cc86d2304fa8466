"""Where each call has its inputs from, by the numbers alone.

An input is what an earlier call beside it gave, or what the block around them took, if those are
the same bits. One that is neither was computed in the block's forward. If it is a sum, a product, a
concatenation or another simple thing of what there was before, then the numbers show it; else all
that is known is that it comes from the forward.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Literal

import numpy as np

from unified_blocks.pictures.tree import Node, equal
from unified_blocks.reference.policy import TOLERANCES, explains
from unified_blocks.types import Array

Role = Literal["entry", "port", "call", "computed", "exit"]
NEAR = 10
"""Of how many values, the last ones, sums are tried."""


@dataclass(eq=False)
class Item:
    """A part of the picture of a block.

    Attributes:
        role: `"entry"`, an input of the block; `"call"`, of a layer or block inside it;
            `"computed"`, a value that its forward made; `"port"`, one of these that comes from
            nothing in the picture; `"exit"`, what the block gives.
        label: what made it: `"+"`, `"forward"`; or the name of the block's own numbers.
        values: what can be taken from it.
        sources: the items that it takes something from.
        deduced: whether the sources are known only by this: no other takes what they give.
        node: of a call.
        inside: the items inside a call of a block.
        times: how many calls it stands for, of which each takes what the one before it gave.
        last: the path of the last of these.
        is_beside: whether all of these take the same instead.
        like: the path of one drawn before that is the same inside.
    """

    role: Role
    label: str = ""
    values: list[Array] = field(default_factory=list)
    sources: list[Item] = field(default_factory=list)
    deduced: bool = False
    node: Node | None = None
    inside: list[Item] = field(default_factory=list)
    times: int = 1
    last: str = ""
    is_beside: bool = False
    like: str = ""

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [value.shape for value in self.values]

    @property
    def is_only_entry(self) -> bool:
        return self.role == "entry" and self.label == "input"

    def takes(self, source: Item) -> None:
        if source not in self.sources:
            self.sources.append(source)


def wired(node: Node) -> Item:
    """A call with all that is inside it."""
    made = Item("call", values=node.call.outputs, node=node)
    if node.children:
        made.inside = _Wiring(node).items
    return made


class _Wiring:
    def __init__(self, node: Node) -> None:
        call = node.call
        self.node = node
        self.items = [
            Item("entry", f"input {i + 1}" if len(call.inputs) > 1 else "input", [array])
            for i, array in enumerate(call.inputs)
        ]
        self.own: dict[str, Item] = {}
        for child in node.children:
            self.add(wired(child), child.call.inputs, child.call.input_dtypes)
        self.add(Item("exit", "output", call.outputs), call.outputs, call.dtypes)
        self.deduce()
        self.items = _placed(_merged(self.items))

    def add(self, item: Item, arrays: Sequence[Array], dtypes: Sequence[str]) -> None:
        for array, dtype in zip(arrays, dtypes, strict=True):
            item.takes(self.source(array, dtype))
        self.items.append(item)

    def source(self, array: Array, dtype: str) -> Item:
        for item in reversed(self.items):
            if any(equal(array, value) for value in item.values):
                return item
        made = Item("computed", "forward", [array])
        held = self.held()
        for label, sources in _explanations(array, dtype, [*held, *self.known()]):
            made.label = label
            for source in sources:
                if source not in self.items:
                    self.items.append(source)
                made.takes(source)
            if label == "=":  # the block's own numbers, as they are
                return sources[0]
            break
        self.items.append(made)
        return made

    def known(self) -> list[tuple[Item, Array]]:
        return [(item, value) for item in self.items for value in item.values]

    def held(self) -> list[tuple[Item, Array]]:
        """The numbers of the block itself that are not in the picture yet."""
        found = []
        for variable in self.node.own:
            name = variable.name.rpartition(".")[2]
            array = variable.read()
            item = self.own.setdefault(name, Item("port", name, [array]))
            if item not in self.items:
                found.append((item, array))
        return found

    def deduce(self) -> None:
        """What nobody takes goes into what the forward computes next.

        But positions and masks, which are whole numbers, are not computed of what layers give.
        """
        taken = {id(source) for item in self.items for source in item.sources}
        free: list[Item] = []
        for item in self.items:
            if item.role == "computed" and not item.sources:
                exact = item.values[0].dtype.kind not in "fc"
                found = [each for each in free if not (exact and each.role == "call")]
                item.sources, item.deduced = found, bool(found)
                free = [each for each in free if each not in found]
            if id(item) not in taken and item.role != "exit":
                free.append(item)


def _explanations(
    array: Array, dtype: str, known: Sequence[tuple[Item, Array]]
) -> Iterator[tuple[str, list[Item]]]:
    """The simple things of known values that `array` is."""
    for item, value in reversed(known):
        if value.shape == array.shape and np.array_equal(value, array):
            yield "=", [item]
        if value.size == array.size > 1 and np.array_equal(value.ravel(), array.ravel()):
            yield "reshape", [item]
        if array.size > 1 and _is_slice(array, value):
            yield "slice", [item]
    joined = _joined(array, known)
    if joined:
        yield "concat", joined
    if dtype not in TOLERANCES:
        return
    near = [(item, value) for item, value in known if value.dtype.kind == "f"][-NEAR:]
    near.reverse()

    size = np.abs(array).max(initial=0) or 1.0  # all of them may be small

    def is_it(value: Array) -> bool:
        return value.shape == array.shape and explains(array / size, value / size, dtype)

    def is_rectified(value: Array) -> bool:
        return is_it(np.maximum(value, 0)) and not is_it(value)

    for item, value in near:
        if value.shape == array.shape and is_rectified(value):
            yield "relu", [item]
    for n in (2, 3):
        for some in combinations(near, n):
            values = [value for _, value in some]
            items = [item for item, _ in some]
            if not _fit(values, array.shape):
                continue
            total = np.asarray(sum(values[1:], values[0]))
            if is_it(total):
                yield "+", items
            elif is_rectified(total):
                yield "+ relu", items
            elif n == 2 and is_it(values[0] * values[1]):
                yield "×", items


def _is_slice(array: Array, value: Array) -> bool:
    """Whether it is what is at one place of an axis."""
    for axis in range(value.ndim):
        if value.shape[:axis] + value.shape[axis + 1 :] == array.shape:
            same = np.moveaxis(value, axis, 0) == array
            if same.reshape(len(same), -1).all(axis=1).any():
                return True
    return False


def _fit(values: Sequence[Array], shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(*(value.shape for value in values)) == shape
    except ValueError:
        return False


def _joined(array: Array, known: Sequence[tuple[Item, Array]]) -> list[Item]:
    """The items whose values side by side are `array`."""
    for axis in range(array.ndim):
        others = array.shape[:axis] + array.shape[axis + 1 :]
        parts = [
            (item, value)
            for item, value in reversed(known)
            if value.ndim == array.ndim
            and value.shape[:axis] + value.shape[axis + 1 :] == others
            and 0 < value.shape[axis] < array.shape[axis]
        ]
        found: list[Item] = []
        start = 0
        while start < array.shape[axis]:
            for item, value in parts:
                stop = start + value.shape[axis]
                window = (slice(None),) * axis + (slice(start, stop),)
                if np.array_equal(array[window], value):
                    found.append(item)
                    start = stop
                    break
            else:
                break
        if found and start == array.shape[axis]:
            return list(dict.fromkeys(found))
    return []


def _merged(items: list[Item]) -> list[Item]:
    """The items, where values of one shape from nowhere are one port."""
    ports: dict[tuple[object, ...], Item] = {}
    instead: dict[int, Item] = {}
    kept = []
    for item in items:
        if item.role == "computed" and not item.sources:
            item.role = "port"
            first = ports.setdefault(tuple(item.shapes), item)
            instead[id(item)] = first
            if first is not item:
                continue
        kept.append(item)
    for item in kept:
        item.sources = list(dict.fromkeys(instead.get(id(s), s) for s in item.sources))
    return kept


def _placed(items: list[Item]) -> list[Item]:
    """The items, where what comes from nowhere is right before what takes it first.

    Or further up, where it parts no other pair: a line is straight where it can be.
    """
    moved = [item for item in items if item.role in ("entry", "port")]
    rest = [item for item in items if item not in moved]
    for item in moved:
        users = [i for i, other in enumerate(rest) if item in other.sources]
        place = users[0] if users else 0
        while place > 0 and rest[place - 1] in rest[place].sources:
            place -= 1
        rest.insert(place, item)
    return rest
