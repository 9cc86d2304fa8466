"""Parts of a value, and values put together of several."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from unified_blocks.porting.operations.slices import (
    Flip,
    Pad,
    Repeat,
    Slice,
    Split,
    Stack,
    Tile,
    Unstack,
)
from unified_blocks.porting.writing.keras.expressions import (
    Expression,
    Index,
    Row,
    Step,
    Tensor,
    call,
)
from unified_blocks.porting.writing.keras.words.orders import inserted, moved, without
from unified_blocks.porting.writing.keras.words.padding import padded
from unified_blocks.porting.writing.keras.writer import Writing, last, writes
from unified_blocks.types import Shape


@writes(Slice, follows=True)
def slice_(w: Writing) -> None:
    turned, parts = w.operation.forward(w.inputs[0].shape)  # Keras has no steps back
    shown = [_part(parts[axis]) for axis in w.order]
    while shown and shown[-1] == ":":
        shown.pop()
    shown += ["..."] * (len(shown) == 1)  # Keras knows parts of one axis only as a tuple
    places = tuple(sorted(w.order.index(axis) for axis in turned))
    x: Expression = call("ops.flip", w.x, axis=places) if turned else w.x
    w.give(Index(x, ", ".join(shown).rstrip()) if shown else x)


def _part(part: slice) -> str:
    start = "" if part.start in (None, 0) else str(part.start)
    stop = "" if part.stop is None else str(part.stop)
    return f"{start}:{stop}" + ("" if part.step == 1 else f":{part.step}")


def give_all(w: Writing, expression: Expression, order: Shape) -> None:
    """The statement that gives all outputs."""
    made = tuple(Tensor(*moved(value, order)) for value in w.node.outputs)
    w.writer.steps[w.node].append(Step(made, expression, w.node.path))
    for value, tensor in zip(w.node.outputs, made, strict=True):
        w.writer.lying[value] = (tensor, order)


@writes(Split, follows=True)
def split(w: Writing) -> None:
    sizes, axis = w.operation.sizes, w.axis(w.operation.axis)
    parts: Any = len(sizes) if len(set(sizes)) == 1 else tuple(accumulate(sizes))[:-1]
    give_all(w, call("ops.split", w.x, parts, axis=axis), w.order)


@writes(Unstack, follows=True)
def unstack(w: Writing) -> None:
    order = without(w.order, (w.operation.axis,))
    found = call("ops.unstack", w.x, axis=w.axis(w.operation.axis))
    if len(w.node.outputs) == 1:
        w.give(call("ops.squeeze", w.x, axis=w.axis(w.operation.axis)), order)
    else:
        give_all(w, found, order)


@writes(Stack, follows=True)
def stack(w: Writing) -> None:
    order, place = inserted(w.order, w.operation.axis)
    items = tuple(w.taken_or_numbers(i, w.order) for i in range(len(w.inputs)))
    axis = -1 if place == len(order) - 1 else place
    w.give(call("ops.stack", Row(items), axis=axis), order)


@writes(Tile, follows=True)
def tile(w: Writing) -> None:
    w.give(call("ops.tile", w.x, tuple(w.operation.repeats[axis] for axis in w.order)))


@writes(Repeat, follows=True)
def repeat(w: Writing) -> None:
    w.give(call("ops.repeat", w.x, w.operation.repeats, axis=w.axis(w.operation.axis)))


@writes(Flip, follows=True)
def flip(w: Writing) -> None:
    places = tuple(sorted(w.order.index(axis) for axis in w.operation.axes))
    w.give(call("ops.flip", w.x, axis=places[0] if len(places) == 1 else places))


@writes(Pad, follows=True)
def pad(w: Writing) -> None:
    operation: Pad = w.operation
    widths = tuple(operation.widths[axis] for axis in w.order)
    space = widths[1:-1]
    rank = len(w.order)
    if operation.mode == "edge":
        w.writer.words.add("pad_edges")
        return w.give(call("pad_edges", w.x, widths))
    if operation.mode == "reflect":
        return w.give(call("ops.pad", w.x, widths, mode="reflect"))
    if w.order == last(rank) and 3 <= rank <= 5 and not any(map(sum, (widths[0], widths[-1]))):
        return w.alias(w.order, padded(w, w.x, space, operation.number))
    options = {"constant_values": operation.number} if operation.number else {}
    return w.give(call("ops.pad", w.x, widths, **options))
