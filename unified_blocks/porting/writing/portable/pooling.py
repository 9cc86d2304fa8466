"""Pooling."""

from __future__ import annotations

import math

from unified_blocks.errors import UnsupportedError
from unified_blocks.layers.geometry import windows_over
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.pooling import (
    AvgPool,
    GlobalPool,
    MaxPool,
    Pool,
    SumPool,
)
from unified_blocks.porting.writing.pieces import Piece, Slot, call
from unified_blocks.porting.writing.portable.vocabulary import padding, short, writes
from unified_blocks.porting.writing.words import Word


@writes(GlobalPool)
def global_pool(operation: GlobalPool, node: Node) -> Word:
    kind = {"avg": "Avg", "max": "Max"}[operation.function]
    return Word(call(f"ub.Global{kind}Pool{node.inputs[0].rank - 2}D"))


@writes(MaxPool)
def max_pool(operation: MaxPool, node: Node) -> Word:
    return Word(_pool("MaxPool", operation))


@writes(AvgPool)
def avg_pool(operation: AvgPool, node: Node) -> Word:
    return Word(_pool("AvgPool", operation, operation.count_include_pad))


@writes(SumPool)
def sum_pool(operation: SumPool, node: Node) -> Word:
    if operation.over != operation.padding:  # where a mean does not divide by the whole window
        raise UnsupportedError(f"a sum of windows over {operation.over} is no layer")
    return Word(_pool("AvgPool", operation), called=f"{{}}({{}}) * {math.prod(operation.size)}")


def _pool(kind: str, operation: Pool, counted: bool = True) -> Piece:
    rank = len(operation.size)
    modes: tuple[bool | str, ...] = (False, True, "full")
    for ceil_mode in modes:
        windows = windows_over(
            operation.size, operation.strides, operation.padding, ceil_mode, rank
        )
        if windows.over == operation.over:
            break
    else:
        raise UnsupportedError(f"{kind} with windows over {operation.over} is no layer")
    options = {
        "strides": (Slot(short(operation.strides), "strides"), short(operation.size)),
        "padding": (padding(operation.padding), 0),
        "ceil_mode": (ceil_mode, False),
    }
    if kind == "AvgPool" and padding(operation.padding) != 0:
        options["count_include_pad"] = (counted, True)
    return call(f"ub.{kind}{rank}D", Slot(short(operation.size), "pool_size"), **options)
