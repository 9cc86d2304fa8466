"""Functions that infer by a model many times: graphs, which are kept with the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unified_blocks.training.data.batches import Layout, tensors_in
from unified_blocks_tensorflow.graphs import GRAPH_KINDS, TensorFlowGraph
from unified_blocks_tensorflow.variables import layers_of

NAME = "_kept_graphs"
"""The attribute of a model that has them."""
OTHERS = (NAME, "_first_inputs")
"""Attributes that a call sets, of which its output does not depend."""
SMALL = 2**16
"""Numbers of an array up to which it is looked at whether they are others now."""


class Repeated:
    """`function` of structures of tensors, or None: a graph for each structure.

    Attributes:
        parts: what the model was made of when a graph was last traced. It is taken after, for a
            model's first call sets attributes of Keras' own.
    """

    def __init__(self, net: Any, function: Callable[..., Any]) -> None:
        self.net, self.function = net, function
        self.graphs: dict[Any, TensorFlowGraph] = {}
        self.parts: list[Any] = []

    def __call__(self, *batch):
        nested = any(isinstance(part, (tuple, list, dict)) for part in batch)
        key = Layout(batch) if nested else tuple([part is None for part in batch])
        tensors = tensors_in(batch) if nested else [part for part in batch if part is not None]
        if key not in self.graphs:
            layout = Layout(batch)
            self.graphs[key] = TensorFlowGraph(
                lambda *inputs: self.function(*layout.of(inputs)),
                self.net,
                next(iter(GRAPH_KINDS)),
                dynamic=False,
            )
        graph = self.graphs[key]
        traces = graph.traces
        found = graph(*tensors)
        if graph.traces != traces:
            self.parts = parts_of(self.net)
        return found


class Kept:
    """What a model has kept, by key. A copy of it has nothing."""

    def __init__(self) -> None:
        self.found: dict[Any, Repeated] = {}

    def __reduce__(self):
        return Kept, ()


def repeated(net: Any, function: Callable[..., Any], key: Any) -> Repeated:
    """See `Backend.repeated`. What a model keeps is made anew when an attribute has changed."""
    if key is None:
        return Repeated(net, function)
    kept: Kept | None = vars(net).get(NAME)
    if kept is None:
        object.__setattr__(net, NAME, kept := Kept())  # Keras need not track it
    found = kept.found.get(key)
    if found is None or found.net is not net or not is_same(found.parts, parts_of(net)):
        found = kept.found[key] = Repeated(net, function)
    return found


def parts_of(net: Any) -> list[Any]:
    """All that the layers of a model hold, in containers too; of arrays their numbers."""
    found: list[Any] = []
    for _, layer in layers_of(net):
        found.append(type(layer))
        for name, value in vars(layer).items():
            if name not in OTHERS:
                found.append(name)
                _add(found, value, set())
    return found


def _add(found: list[Any], value: Any, around: set[int]) -> None:
    """Add `value`, which is inside the containers of these ids, and what it holds."""
    found.append(value)
    if isinstance(value, np.ndarray):
        found.append(value.tobytes() if value.size <= SMALL else object())
    elif isinstance(value, (dict, list, tuple, set)) and id(value) not in around:
        found.append(len(value))
        parts = (*value, *value.values()) if isinstance(value, dict) else value
        for part in parts:
            _add(found, part, around | {id(value)})


def is_same(before: list[Any], now: list[Any]) -> bool:
    """Whether they are the same objects, sizes and bytes."""
    return len(before) == len(now) and all(
        a is b or (type(a) is type(b) and type(a) in (bytes, int) and a == b)
        for a, b in zip(before, now, strict=True)
    )
