"""Pooling."""

from __future__ import annotations

from dataclasses import replace

from unified_blocks.errors import UnsupportedError
from unified_blocks.layers.geometry import is_even, lengths, windows_over
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.pooling import (
    AdaptiveAvgPool,
    AvgPool,
    GlobalPool,
    MaxPool,
    Pool,
    SumPool,
)
from unified_blocks.porting.writing.pieces import REQUIRED, Piece, Slot, call
from unified_blocks.porting.writing.pytorch.vocabulary import short, writes
from unified_blocks.porting.writing.words import Word


@writes(GlobalPool)
def global_pool(operation: GlobalPool, node: Node) -> Word:
    kind = {"avg": "Avg", "max": "Max"}[operation.function]
    rank = node.inputs[0].rank - 2
    return Word(call(f"nn.Adaptive{kind}Pool{rank}d", Slot(1, "size")))


@writes(MaxPool)
def max_pool(operation: MaxPool, node: Node) -> Word:
    return Word(_pool("MaxPool", operation, node))


@writes(AvgPool)
def avg_pool(operation: AvgPool, node: Node) -> Word:
    return Word(_pool("AvgPool", operation, node, operation.count_include_pad))


@writes(SumPool)
def sum_pool(operation: SumPool, node: Node) -> Word:
    if len(operation.size) == 1:  # which PyTorch divides by the size always
        raise UnsupportedError(f"a sum of windows of {operation.size} is no layer of PyTorch")
    pool = _pool("AvgPool", operation, node)
    return Word(
        replace(
            pool,
            parts=(*pool.parts, Slot(1, "divisor_override")),
            names=(*pool.names, "divisor_override"),
            defaults=(*pool.defaults, REQUIRED),
        )
    )


@writes(AdaptiveAvgPool)
def adaptive_pool(operation: AdaptiveAvgPool, node: Node) -> Word:
    size = Slot(short(operation.size), "output_size")
    return Word(call(f"nn.AdaptiveAvgPool{len(operation.size)}d", size))


def _pool(kind: str, operation: Pool, node: Node, counted: bool = True) -> Piece:
    rank, pads = len(operation.size), operation.padding
    padding = short(tuple(before for before, _ in pads))
    rounded = _rounding(operation, node)
    fits = all(2 * before <= k for (before, _), k in zip(pads, operation.size, strict=True))
    if not is_even(pads) or rounded is None or not fits:
        raise UnsupportedError(f"{kind} with windows over {operation.over} is no layer of PyTorch")
    options = {
        "stride": (Slot(short(operation.strides), "stride"), short(operation.size)),
        "padding": (padding, 0),
        "ceil_mode": (rounded, False),
    }
    if kind == "AvgPool" and padding != 0:
        options["count_include_pad"] = (counted, True)
    return call(f"nn.{kind}{rank}d", Slot(short(operation.size), "kernel_size"), **options)


def _rounding(operation: Pool, node: Node) -> bool | None:
    """Whether PyTorch gives the windows of a pooling with `ceil_mode`; None where it never does."""
    rank, space = len(operation.size), node.inputs[0].shape[2:]
    ones = (1,) * rank
    for ceil_mode in (False, True):
        windows = windows_over(
            operation.size, operation.strides, operation.padding, ceil_mode, rank
        )
        if windows.over == operation.over:
            return ceil_mode
    wanted = lengths(space, operation.size, operation.strides, operation.over, ones)
    for ceil_mode in (False, True):
        windows = windows_over(
            operation.size, operation.strides, operation.padding, ceil_mode, rank
        )
        if lengths(space, operation.size, operation.strides, windows.over, ones) == wanted:
            return ceil_mode  # for images of this size
    return None
