"""One number of many, order, and products of matrices."""

from __future__ import annotations

from unified_blocks.porting.graph import Value
from unified_blocks.porting.operations.products import Matmul
from unified_blocks.porting.operations.reductions import ArgReduce, Reduce, Sort, TopK
from unified_blocks.porting.writing.keras.expressions import (
    Expression,
    Index,
    Infix,
    Step,
    Tensor,
    call,
)
from unified_blocks.porting.writing.keras.words.orders import moved, without
from unified_blocks.porting.writing.keras.writer import Writing, plain, writes


@writes(Reduce, follows=True)
def reduce(w: Writing) -> None:
    operation: Reduce = w.operation
    places = tuple(sorted(w.order.index(axis) for axis in operation.axes))
    axis: Expression = w.axis(operation.axes[0]) if len(places) == 1 else places
    options = {"keepdims": True} if operation.keepdims else {}
    if len(places) == len(w.order) and not options:
        return w.give(call(f"ops.{operation.function}", w.x), ())
    order = w.order if operation.keepdims else without(w.order, operation.axes)
    return w.give(call(f"ops.{operation.function}", w.x, axis=axis, **options), order)


@writes(ArgReduce, follows=True)
def arg_reduce(w: Writing) -> None:
    operation: ArgReduce = w.operation
    options = {"keepdims": True} if operation.keepdims else {}
    order = w.order if operation.keepdims else without(w.order, (operation.axis,))
    axis = w.axis(operation.axis)
    w.give(call(f"ops.{operation.function}", w.x, axis=axis, **options), order)


def is_used(w: Writing, value: Value) -> bool:
    """Whether something takes a value."""
    return bool(w.writer.users.get(value)) or value in w.writer.graph.outputs


@writes(Sort, follows=True)
def sort(w: Writing) -> None:
    operation: Sort = w.operation
    values, places = w.node.outputs
    axis = w.axis(operation.axis)
    if not is_used(w, places):
        found = call("ops.sort", w.x, axis=axis)
        found = call("ops.flip", found, axis=axis) if operation.descending else found
        return w.give_as(values, found, w.order)
    by: Expression = Infix("-", (w.x,)) if operation.descending else w.x
    order = w.add(call("ops.argsort", by, axis=axis), w.x.shape, w.x.growth)
    w.writer.lying[places] = (order, w.order)
    if is_used(w, values):
        w.give_as(values, call("ops.take_along_axis", w.x, order, axis=axis), w.order)
    return None


@writes(TopK)
def top_k(w: Writing) -> None:
    operation: TopK = w.operation
    order = (*(axis for axis in w.order if axis != operation.axis), operation.axis)
    x: Expression = w.turned(w.x, w.order, order)
    if not operation.largest:
        x = Infix("-", (x,))
    values, places = w.node.outputs
    found = call("ops.top_k", x, operation.k)
    if not is_used(w, values):
        return w.give_as(places, Index(found, "1"), order)
    if not is_used(w, places):
        first = Index(found, "0")
        return w.give_as(values, first if operation.largest else Infix("-", (first,)), order)
    made = tuple(Tensor(*moved(value, order)) for value in w.node.outputs)
    w.writer.steps[w.node].append(Step(made, found, w.node.path))
    for value, tensor in zip(w.node.outputs, made, strict=True):
        w.writer.lying[value] = (tensor, order)
    if not operation.largest:
        w.give_as(values, Infix("-", (made[0],)), order)
    return None


@writes(Matmul)
def matmul(w: Writing) -> None:
    operands = [w.plain_or_numbers(i) for i in range(2)]
    w.give(call("ops.matmul", *operands), plain(w.node.output.rank))
