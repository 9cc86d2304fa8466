"""The calls inside a model: the inputs and outputs of its blocks, in execution order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np

from unified_blocks.backend import Backend, Channels
from unified_blocks.backend.tensors import backend_of
from unified_blocks.models.outputs import (
    Leaf,
    Output,
    Place,
    output_of,
    tensor_leaves,
    tensors_in,
)
from unified_blocks.types import Array

WHOLE = "(model)"
"""The name of a call of the model itself."""


@dataclass
class Call:
    """One call of a block or layer.

    Attributes:
        name: its path, with its number when there are several calls: `"dense#2"`.
        path: the canonical name of the block, `""` of the model itself.
        block: the block.
        kind: its name on every framework, `"Dense"`.
        inputs, outputs: copies of its input and output arrays, bfloat16 as float32.
        dtypes: of the outputs, in the framework.
        changed: whether it changed an input in place.
        depth: how many calls it is inside of.
        start, end: when it began and ended, counted in beginnings and ends of calls.
        input_dtypes: of the inputs, in the framework.
        channels: where the block looks for the channels of images, if it does.
        places, input_places: what each of the outputs and inputs is called; empty where only
            their order is known.
    """

    name: str
    path: str
    block: Any
    kind: str
    inputs: list[Array]
    outputs: list[Array] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    changed: bool = False
    depth: int = 0
    start: int = -1
    end: int = -1
    input_dtypes: list[str] = field(default_factory=list)
    channels: Channels | None = None
    places: list[Place] = field(default_factory=list)
    input_places: list[Place] = field(default_factory=list)

    @property
    def taken(self) -> list[Leaf]:
        return _leaves(self.inputs, self.input_dtypes, self.input_places)

    @property
    def given(self) -> list[Leaf]:
        return _leaves(self.outputs, self.dtypes, self.places)


def _leaves(arrays: Sequence[Array], dtypes: Sequence[str], places: Sequence[Place]) -> list[Leaf]:
    places = places or [(i,) for i in range(len(arrays))]
    return [Leaf(*leaf) for leaf in zip(places, arrays, dtypes, strict=True)]


def watched(net: Any, inputs: Sequence[Any], train: bool = False) -> tuple[Output, list[Call]]:
    """One call of `net` without gradients, and every call inside it, in the order of their end.

    The calls hold copies. A model that runs as one graph (hybridized, compiled) shows no calls
    inside: the list then has only the call of the model itself.

    Args:
        inputs: tensors of its framework.

    Returns:
        The output and the calls.

    Raises:
        UnsupportedError: for an output without a tensor.
    """
    backend = backend_of(net)
    watcher = Watcher(backend, net)
    with backend.watch(net, watcher.begins, watcher.ends):
        output = backend.run(net, inputs, train)
    return output_of(backend, output, net), watcher.calls


class Watcher:
    """Turns the events that a backend reports while it watches into calls."""

    def __init__(self, backend: Backend, net: Any) -> None:
        self.backend = backend
        self.paths = {id(layer): path for path, layer in backend.layers(net)}
        self.open: list[Call] = []
        self.calls: list[Call] = []
        self.clock = count()

    def begins(self, block: Any, inputs: Any, _: Any) -> None:
        path = self.paths.get(id(block), "?")
        call = Call(path or WHOLE, path, block, self.backend.kind_of(block), [])
        call.channels = self.backend.channels_of(block)
        for leaf in self.arguments(inputs):
            call.inputs.append(leaf.array)
            call.input_dtypes.append(leaf.dtype)
            call.input_places.append(leaf.place)
        call.depth, call.start = len(self.open), next(self.clock)
        self.open.append(call)

    def arguments(self, inputs: Sequence[Any]) -> list[Leaf]:
        """The tensors given to a call; what else a layer is told is its own affair."""
        given = [value for value in inputs if tensors_in(self.backend, value)]
        return tensor_leaves(self.backend, given)

    def ends(self, block: Any, inputs: Any, output: Any) -> None:
        call = self.open.pop()
        arrays = [leaf.array for leaf in self.arguments(inputs)]
        call.changed = len(arrays) != len(call.inputs) or not all(
            np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            for a, b in zip(call.inputs, arrays, strict=True)
        )
        for leaf in tensor_leaves(self.backend, output):
            call.outputs.append(leaf.array)
            call.dtypes.append(leaf.dtype)
            call.places.append(leaf.place)
        call.end = next(self.clock)
        self.calls.append(call)


def numbered(calls: Iterable[Call]) -> dict[str, Call]:
    """The calls by name: `#1`, `#2`, … where a block was called more than once."""
    calls = list(calls)
    several = {path for path, n in Counter(call.path for call in calls).items() if n > 1}
    counts: Counter[str] = Counter()
    found = {}
    for call in sorted(calls, key=lambda call: call.start):
        counts[call.path] += 1
        if call.path in several:
            call.name = f"{call.path or WHOLE}#{counts[call.path]}"
        found[call.name] = call
    return {call.name: call for call in calls}


def without_blocks(calls: Sequence[Call]) -> list[Call]:
    """The calls under their numbered names, without what they are calls of.

    A record knows positions only: what a call takes and gives by name is in the order of the names.
    """
    return [in_order(replace(call, name=n, block=None)) for n, call in numbered(calls).items()]


def in_order(call: Call) -> Call:
    taken, given = (sorted(leaves, key=_name) for leaves in (call.taken, call.given))
    return replace(with_leaves(call, taken, given), places=[], input_places=[])


def with_leaves(call: Call, taken: Sequence[Leaf], given: Sequence[Leaf]) -> Call:
    """`call`, with these in place of what it took and gave."""
    return replace(
        call,
        inputs=[leaf.array for leaf in taken],
        input_dtypes=[leaf.dtype for leaf in taken],
        input_places=[leaf.place for leaf in taken],
        outputs=[leaf.array for leaf in given],
        dtypes=[leaf.dtype for leaf in given],
        places=[leaf.place for leaf in given],
    )


def _name(leaf: Leaf) -> list[tuple[int, str]]:
    return [(key, "") if isinstance(key, int) else (-1, str(key)) for key in leaf.place]
