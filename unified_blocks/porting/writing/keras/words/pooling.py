"""Pooling: one number of each window of an image."""

from __future__ import annotations

import math

from unified_blocks.porting.operations.pooling import (
    AdaptiveAvgPool,
    AvgPool,
    GlobalPool,
    MaxPool,
    SumPool,
)
from unified_blocks.porting.operations.shapes import Reshape
from unified_blocks.porting.writing.keras.expressions import Call, Tensor, call
from unified_blocks.porting.writing.keras.turning import moved
from unified_blocks.porting.writing.keras.words.padding import padded, same, short
from unified_blocks.porting.writing.keras.writer import Writing, last, operands, plain, writes


@writes(MaxPool, images=True)
def max_pool(w: Writing) -> None:
    options: MaxPool = w.operation
    x, padding = w.image(), "valid"
    if any(map(sum, options.over)):
        if coincide(options, x):
            padding = "same"
        else:
            x = padded(w, x, options.over, float("-inf"))
    _pool(w, "MaxPooling", x, padding)


@writes(AvgPool, images=True)
def avg_pool(w: Writing) -> None:
    options: AvgPool = w.operation
    x = w.image()
    if not any(map(sum, options.over)):
        return _pool(w, "AveragePooling", x, "valid")
    counted = options.padding if options.count_include_pad else ((0, 0),) * len(options.padding)
    if not any(map(sum, counted)) and coincide(options, x):
        return _pool(w, "AveragePooling", x, "same")  # which counts no padding
    wide = padded(w, x, options.over)
    if counted == options.over:
        return _pool(w, "AveragePooling", wide, "valid")
    # The share of each window that is counted, by the same mean of ones.
    shape = (1, *x.shape[1:-1], 1)
    ones = w.add(call("ops.ones", shape), shape)
    if any(map(sum, counted)):
        ones = padded(w, ones, counted, 1.0)
    rest = tuple((a - c, b - d) for (a, b), (c, d) in zip(options.over, counted, strict=True))
    ones = padded(w, ones, rest)
    rank = len(options.size)
    pool = call(
        f"layers.AveragePooling{rank}D", short(options.size), strides=short(options.strides)
    )
    order = last(rank + 2)
    out, growth = moved(w.node.output.shape, order), moved(w.node.output.growth, order)
    share = w.add(Call(pool, (ones,)), (1, *out[1:-1], 1))
    total = w.add(Call(pool, (wide,)), out, growth)
    w.give(operands((total, share), "/"), order)
    return None


def coincide(options: MaxPool | AvgPool, x: Tensor) -> bool:
    """Whether `padding="same"` gives the windows of a pooling."""
    ones = (1,) * len(options.size)
    return same(x.shape[1:-1], options.size, options.strides, options.over, ones)


def _pool(w: Writing, kind: str, x: Tensor, padding: str) -> None:
    size, strides = w.operation.size, w.operation.strides
    layer = w.layer(
        f"layers.{kind}{len(size)}D",
        short(size),
        strides=None if strides == size else short(strides),  # which are the size by default
        padding=padding,
    )
    w.give(Call(layer, (x,)), last(len(size) + 2))


@writes(GlobalPool, images=True)
def global_pool(w: Writing) -> None:
    kind = {"max": "Max", "avg": "Average"}[w.operation.function]
    rank, value, keep = w.inputs[0].rank, w.node.output, True
    flat = w.only_user(Reshape)
    if flat is not None and flat.output.shape == value.shape[:2]:
        w.writer.done.add(flat)
        value, keep = flat.output, False
    layer = w.layer(f"layers.Global{kind}Pooling{rank - 2}D", keepdims=keep, value=value)
    w.give_as(value, Call(layer, (w.image(),)), last(rank) if keep else plain(2))


@writes(SumPool, images=True)
def sum_pool(w: Writing) -> None:
    """The mean of zeros, too, by their number."""
    options: SumPool = w.operation
    rank = len(options.size)
    layer = w.layer(
        f"layers.AveragePooling{rank}D",
        short(options.size),
        strides=None if options.strides == options.size else short(options.strides),
    )
    mean = Call(layer, (padded(w, w.image(), options.over),))
    w.give(operands((mean, math.prod(options.size)), "*"), last(rank + 2))


@writes(AdaptiveAvgPool, images=True)
def adaptive_pool(w: Writing) -> None:
    size = w.operation.size
    rank = len(size)
    layer = w.layer(f"layers.AdaptiveAveragePooling{rank}D", short(size))
    w.give(Call(layer, (w.image(),)), last(rank + 2))
