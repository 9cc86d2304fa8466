"""One number of many, and products of matrices."""

from __future__ import annotations

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.products import Matmul
from unified_blocks.porting.operations.reductions import ArgReduce, Reduce
from unified_blocks.porting.writing.pieces import call, text
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word


@writes(Reduce)
def reduce(operation: Reduce, node: Node) -> Word:
    (x,) = node.inputs
    axes = operation.axes
    axis = None if len(axes) == x.rank else axes[0] if len(axes) == 1 else axes
    options = {"axis": (axis, None), "keepdims": (operation.keepdims, False)}
    return Word(expression=call(f"ub.ops.{operation.function}", x, **options))


@writes(ArgReduce)
def arg_reduce(operation: ArgReduce, node: Node) -> Word:
    (x,) = node.inputs
    axis = operation.axis if operation.axis != x.rank - 1 else -1
    found = call(f"ub.ops.{operation.function}", x, axis=(axis, -1))
    if operation.keepdims:
        found = text(f"ub.ops.expand_dims({{}}, axis={axis})", found)
    return Word(expression=found)


@writes(Matmul)
def matmul(operation: Matmul, node: Node) -> Word:
    return Word(expression=call("ub.ops.matmul", *node.inputs))
