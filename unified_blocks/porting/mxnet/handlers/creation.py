"""Numbers that are made of nothing: constants of the network.

A size of 0 is not said there, and is that of the batch: the constant has a length of 1 instead,
which is broadcast.
"""

from __future__ import annotations

import math

import numpy as np

from unified_blocks.porting.graph import Parameter, Value, constant
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.types import Array


def made(read: Reading, numbers: Array, dtype: str | None = None) -> Parameter:
    """A constant of the network under the name of its node."""
    read.ignore("ctx")
    said = read.text("dtype", "float32") if dtype is None else dtype
    return constant(numbers, "float32" if said == "None" else said, read.name)


@register("_zeros")
def zeros(read: Reading) -> Value:
    return made(read, np.zeros([n or 1 for n in read.sizes("shape")]))


@register("_ones")
def ones(read: Reading) -> Value:
    return made(read, np.ones([n or 1 for n in read.sizes("shape")]))


@register("_full")
def full(read: Reading) -> Value:
    shape = [n or 1 for n in read.sizes("shape")]
    return made(read, np.full(shape, read.number("value")))


@register("_arange")
def arange(read: Reading) -> Value:
    start, stop, step = read.number("start"), read.number("stop", None), read.number("step", 1.0)
    if read.flag("infer_range", False):
        raise read.refused("infer_range=True: its length is what another operator needs")
    if stop is None:
        start, stop = 0.0, start
    return made(read, np.repeat(np.arange(start, stop, step), read.integer("repeat", 1)))


@register("_eye")
def eye(read: Reading) -> Value:
    rows = read.integer("N")
    return made(read, np.eye(rows, read.integer("M", 0) or rows, read.integer("k", 0)))


@register("shape_array")
def shape_array(read: Reading) -> Value:
    return made(read, np.asarray(read.inputs[0].shape), "int64")


@register("size_array")
def size_array(read: Reading) -> Value:
    return made(read, np.asarray([math.prod(read.inputs[0].shape)]), "int64")


@register("_contrib_arange_like")
def arange_like(read: Reading) -> Value:
    (x,) = read.inputs
    start, step, axis = (
        read.number("start", 0.0),
        read.number("step", 1.0),
        read.integer("axis", None),
    )
    repeat = read.integer("repeat", 1)
    count = math.prod(x.shape) if axis is None else x.shape[axis]
    if count % repeat:
        raise read.refused(f"repeat={repeat} of {count}")
    numbers = np.repeat(start + step * np.arange(count // repeat), repeat)
    return made(read, numbers.reshape(x.shape) if axis is None else numbers, x.dtype)
