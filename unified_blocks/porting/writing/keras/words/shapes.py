"""Operations that move numbers and compute none."""

from __future__ import annotations

from unified_blocks.porting.graph import Value
from unified_blocks.porting.operations.shapes import (
    BroadcastLike,
    BroadcastTo,
    Concat,
    ExpandDims,
    FillLike,
    Reshape,
    Squeeze,
    Transpose,
)
from unified_blocks.porting.writing.keras.expressions import Call, Infix, Named, Row, call
from unified_blocks.porting.writing.keras.turning import is_automatic, moved, reshaped
from unified_blocks.porting.writing.keras.words.orders import inserted, without
from unified_blocks.porting.writing.keras.writer import Writing, last, plain, writes
from unified_blocks.types import Shape

MANY = 1009
"""A batch so large that its axis is taken for no other."""


@writes(Transpose)
def transpose(w: Writing) -> None:
    # Nothing moves here: whoever needs the axes in an order moves them.
    axes = w.operation.axes
    w.alias(tuple(axes.index(axis) for axis in w.order))


@writes(Concat, follows=True)
def concat(w: Writing) -> None:
    rank = w.node.output.rank
    orders = [w.writer.lying[value][1] for value in w.node.taken]
    w.order = next((order for order in orders if order != plain(rank)), plain(rank))
    items = tuple(w.taken_or_numbers(i, w.order) for i in range(len(w.inputs)))
    layer = w.layer("layers.Concatenate", axis=w.axis(w.operation.axis))
    w.give(Call(layer, (Row(items),)))


@writes(Reshape)
def reshape(w: Writing) -> None:
    taken, given = w.inputs[0], w.node.output
    if taken.shape == given.shape:
        return w.alias(w.order)
    pairs = matched(large(taken), large(given))
    wide = [axis for axis in w.order if large(taken)[axis] != 1]
    first = {id(pair): min(map(wide.index, have), default=-1) for pair in pairs
             if (have := [axis for axis in pair[0] if axis in wide]) or True}  # fmt: skip
    pairs.sort(key=lambda pair: first[id(pair)])
    wanted = tuple(axis for pair in pairs for axis in pair[0])
    x = w.x
    if [axis for axis in wanted if axis in wide] != wide:
        x = w.turned(x, w.order, wanted)
    order = tuple(axis for pair in pairs for axis in pair[1])
    order = _best(w, given, order)
    shape, growth = moved(given.shape, order), moved(given.growth, order)
    if shape == x.shape:
        return w.alias(order, x)
    path = ".".join(w.node.path)
    known = path in w.writer.layers or is_automatic(w.node.path)
    name = None if known else Named(w.node.path)
    expression = reshaped(x, shape, growth, name)
    if name and isinstance(expression.function, Call):
        w.writer.layers.add(path)
    return w.give(expression, order)


def _best(w: Writing, given: Value, order: Shape) -> Shape:
    """An order in which the same numbers lie alike: of an image, one with its channels last."""
    wide = [axis for axis in order if large(given)[axis] != 1]
    image = given.rank > 3 or (given.rank == 3 and w.writer.is_image(given))
    for wanted in ([last(given.rank)] if image else []) + [plain(given.rank)]:
        if [axis for axis in wanted if axis in wide] == wide:
            return wanted
    return order


def large(value: Value) -> Shape:
    """A shape for a batch so large that no other axis is as long."""
    growth = value.growth or (0,) * value.rank
    return tuple(size + by * MANY for size, by in zip(value.shape, growth, strict=True))


def matched(taken: Shape, given: Shape) -> list[tuple[list[int], list[int]]]:
    """Which axes of a shape become which of another, in the smallest groups."""
    pairs: list[tuple[list[int], list[int]]] = []
    i = j = 0
    while i < len(taken) and j < len(given):
        left, right = [i], [j]
        a, b = taken[i], given[j]
        while a != b:
            if a < b:
                i += 1
                left.append(i)
                a *= taken[i]
            else:
                j += 1
                right.append(j)
                b *= given[j]
        pairs.append((left, right))
        i, j = i + 1, j + 1
    rest = (list(range(i, len(taken))), list(range(j, len(given))))
    if pairs:
        pairs[-1] = (pairs[-1][0] + rest[0], pairs[-1][1] + rest[1])
    elif rest != ([], []):
        pairs.append(rest)
    return pairs


@writes(ExpandDims, follows=True)
def expand_dims(w: Writing) -> None:
    order, place = inserted(w.order, w.operation.axis)
    axis = -1 if place == len(order) - 1 else place
    w.give(call("ops.expand_dims", w.x, axis), order)


@writes(Squeeze, follows=True)
def squeeze(w: Writing) -> None:
    axes = w.operation.axes
    places = tuple(sorted(w.order.index(axis) for axis in axes))
    where = places if len(places) > 1 else w.axis(axes[0])
    w.give(call("ops.squeeze", w.x, where), without(w.order, axes))


@writes(BroadcastTo, follows=True)
def broadcast_to(w: Writing) -> None:
    x, y = w.inputs[0], w.node.output
    if any(y.grows(axis) and not x.grows(axis) for axis in range(y.rank)):
        raise w.refused("it makes an axis as long as a batch that it does not take")
    times = tuple(1 if x.shape[axis] != 1 else y.shape[axis] for axis in w.order)
    w.give(call("ops.tile", w.x, times))


@writes(BroadcastLike)
def broadcast_like(w: Writing) -> None:
    order = plain(w.node.output.rank)
    zeros = call("ops.zeros_like", w.taken_or_numbers(1, order))
    w.give(Infix("+", (w.taken_or_numbers(0, order), zeros)), order)


@writes(FillLike, follows=True)
def fill_like(w: Writing) -> None:
    number = w.operation.number
    if number in (0, 1):
        return w.give(call("ops.ones_like" if number else "ops.zeros_like", w.x))
    return w.give(call("ops.full_like", w.x, number))
