"""Numbers by their place."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node, Value
from unified_blocks.porting.operations.gathers import OneHot, Take, TakeAlong
from unified_blocks.porting.writing.pieces import Part, Piece, Slot, call, text
from unified_blocks.porting.writing.portable.vocabulary import shaped, whole, writes, zero
from unified_blocks.porting.writing.words import Word


@writes(Take)
def take(operation: Take, node: Node) -> Word:
    x, places = node.inputs
    axis = Slot(operation.axis, "axis")
    if places.rank == 1:
        return Word(expression=call("ub.ops.take", x, whole(places), axis=axis))
    flat = text("ub.ops.reshape({}, (-1,))", whole(places))
    taken = call("ub.ops.take", x, flat, axis=axis)
    return Word(expression=shaped(taken, node.output))


@writes(TakeAlong)
def take_along(operation: TakeAlong, node: Node) -> Word:
    x, places = node.inputs
    axis = operation.axis
    if places.shape[axis] != 1:
        raise UnsupportedError(
            f"one place along axis {axis} must be taken; got {places.shape[axis]} of {x.shape}"
        )
    wanted = text("ub.ops.equal({}, {})", counted(x, axis, places), places)
    chosen = call("ub.ops.where", wanted, x, zero(x))
    return Word(expression=call("ub.ops.sum", chosen, axis=(axis, None), keepdims=(True, False)))


def counted(x: Value, axis: int, like: Value) -> Piece:
    """The number of each place along an axis of x, in the dtype of `like`."""
    numbers = call("ub.ops.arange", Slot(x.shape[axis], "size"), like=like)
    after = x.rank - 1 - axis
    return numbers if not after else text(f"ub.ops.reshape({{}}, (-1{', 1' * after}))", numbers)


@writes(OneHot)
def one_hot(operation: OneHot, node: Node) -> Word:
    (places,) = node.inputs
    depth = Slot(operation.depth, "depth")
    dtype: Part = Slot(operation.dtype, "dtype")
    return Word(expression=call("ub.ops.one_hot", whole(places), depth, dtype=dtype))
