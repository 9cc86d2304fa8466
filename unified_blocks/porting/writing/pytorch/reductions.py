"""One number of many, order, and products of matrices."""

from __future__ import annotations

from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.products import Matmul
from unified_blocks.porting.operations.reductions import ArgReduce, Reduce, Sort, TopK
from unified_blocks.porting.writing.pieces import Piece, Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import from_end, writes
from unified_blocks.porting.writing.words import Word

METHODS = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin"}


@writes(Reduce)
def reduce(operation: Reduce, node: Node) -> Word:
    (x,) = node.inputs
    kept = ", keepdim=True" if operation.keepdims else ""
    axes = operation.axes
    if operation.function == "prod":  # of one axis at a time
        if len(axes) == x.rank and not kept:
            return Word(expression=text("{}.prod()", x))
        inside = "".join(f".prod({axis}{kept})" for axis in reversed(axes))
        return Word(expression=text("{}" + inside, x))
    method = METHODS[operation.function]
    if len(axes) == x.rank and not kept:
        return Word(expression=text(f"{{}}.{method}()", x))
    axis = from_end(axes[0], x) if len(axes) == 1 else axes
    return Word(expression=text(f"{{}}.{method}({{}}{kept})", x, Slot(axis, "dim")))


@writes(ArgReduce)
def arg_reduce(operation: ArgReduce, node: Node) -> Word:
    (x,) = node.inputs
    kept = ", keepdim=True" if operation.keepdims else ""
    axis = Slot(from_end(operation.axis, x), "dim")
    return Word(expression=text(f"{{}}.{operation.function}({{}}{kept})", x, axis))


@writes(Sort)
def sort(operation: Sort, node: Node) -> Word:
    axis, descending = from_end(operation.axis, node.inputs[0]), operation.descending
    return Word(expression=_order("sort", node, dim=(axis, -1), descending=(descending, False)))


@writes(TopK)
def top_k(operation: TopK, node: Node) -> Word:
    axis, count = from_end(operation.axis, node.inputs[0]), Slot(operation.k, "k")
    return Word(
        expression=_order("topk", node, count, dim=(axis, -1), largest=(operation.largest, True))
    )


def _order(method: str, node: Node, *parts: Slot, **options: tuple[object, object]) -> Piece:
    return call(f"torch.{method}", *node.inputs, *parts, **options)


@writes(Matmul)
def matmul(operation: Matmul, node: Node) -> Word:
    return Word(expression=text("{} @ {}", *node.inputs))
