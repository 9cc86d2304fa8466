"""The ten operators that the networks of the model zoo are made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unified_blocks.layers.geometry import windows_over
from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.convolutions import Convolution, Linear
from unified_blocks.porting.operations.elementwise import Clip, Dropout, Elementwise
from unified_blocks.porting.operations.norms import BatchNorm
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.operations.pooling import AvgPool, GlobalPool, MaxPool, SumPool
from unified_blocks.porting.operations.reductions import Reduce
from unified_blocks.porting.operations.shapes import Concat, Reshape

ACTIVATIONS = ("relu", "sigmoid", "tanh", "softsign")


@register("Convolution")
def convolution(read: Reading) -> Value:
    kernel = read.sizes("kernel")
    rank = len(kernel)
    strides, dilation = read.sizes("stride", rank, 1), read.sizes("dilate", rank, 1)
    padding = tuple((pad, pad) for pad in read.sizes("pad", rank, 0))
    if (layout := read.text("layout", None)) not in (None, "None", "NCW", "NCHW", "NCDHW"):
        raise read.refused(f"channels must be in the second place; got layout={layout}")
    read.ignore("num_filter", "no_bias")  # the weight and the inputs say so
    return read.add(
        Convolution(strides, padding, dilation, read.integer("num_group", 1)), *read.inputs
    )


@register("FullyConnected")
def fully_connected(read: Reading) -> Value:
    x, *arrays = read.inputs
    read.ignore("num_hidden", "no_bias")
    if read.flag("flatten", True):
        x = flat(read, x)
    return read.add(Linear(), x, *arrays)


@register("Flatten", "flatten")
def flatten(read: Reading) -> Value:
    return flat(read, read.inputs[0], suffix="")


def flat(read: Reading, x: Value, suffix: str = "flatten") -> Value:
    """`(n, features)`; what has two axes stays."""
    if x.rank == 2:
        return x
    return read.add(Reshape((x.shape[0], math.prod(x.shape[1:]))), x, suffix=suffix)


@register("Activation")
def activation(read: Reading) -> Value:
    function = read.text("act_type")
    if function == "softrelu":
        function = "softplus"
    elif function not in ACTIVATIONS:
        raise read.refused(f"act_type={function} is not known")
    return read.add(Elementwise(function), *read.inputs)


@register("BatchNorm", "BatchNorm_v1", "CuDNNBatchNorm", "_contrib_SyncBatchNorm")
def batch_norm(read: Reading) -> Value:
    x, gamma, beta = read.inputs[:3]
    read.ignore("key", "ndev", "output_mean_var")  # key and ndev: of SyncBatchNorm
    if read.flag("fix_gamma", True):
        gamma = read.made_of(read.array(1), np.ones_like, "fixed", role="frozen")  # type: ignore[arg-type]
    statistics: list[Any] = [
        read.made_of(each, np.asarray, "counted", role="statistic")  # type: ignore[arg-type]
        for each in (read.array(3), read.array(4))
    ]
    norm = BatchNorm(
        epsilon=read.number("eps", 1e-3),
        momentum=read.number("momentum", 0.9),
        axis=read.integer("axis", 1) % x.rank,
        frozen=read.flag("use_global_stats", False),
    )
    return read.add(norm, x, gamma, beta, *statistics)


@register("Pooling", "Pooling_v1")
def pooling(read: Reading) -> Value:
    (x,) = read.inputs
    function, rank = read.text("pool_type", "max"), x.rank - 2
    power = read.integer("p_value", None) if function == "lp" else 1
    read.ignore("p_value")
    if function not in ("max", "avg", "sum", "lp") or power not in (1, 2):
        raise read.refused(f"pool_type={function} with p_value={power} is not known")
    if (layout := read.text("layout", None)) not in (None, "None", "NCW", "NCHW", "NCDHW"):
        raise read.refused(f"channels must be in the second place; got layout={layout}")
    if read.flag("global_pool", False):
        read.ignore("kernel", "stride", "pad", "pooling_convention", "count_include_pad")
        if function in ("max", "avg"):
            return read.add(GlobalPool(function), x)
        total = Reduce("sum", tuple(range(2, x.rank)), keepdims=True)
        return _rooted(read, x, total, power)
    convention = read.text("pooling_convention", "valid")
    modes: dict[str, Any] = {"valid": False, "full": "full"}
    if convention not in modes:
        raise read.refused(f"pooling_convention must be valid or full; got {convention}")
    size, strides = read.sizes("kernel", rank), read.sizes("stride", rank, 1)
    pad = read.sizes("pad", rank, 0)
    windows = windows_over(size, strides, pad, modes[convention], rank)
    counted = read.flag("count_include_pad", True)
    if function == "max":
        return read.add(MaxPool(size, strides, windows.pads, windows.over), x)
    if function == "avg":
        return read.add(AvgPool(size, strides, windows.pads, windows.over, counted), x)
    return _rooted(read, x, SumPool(size, strides, windows.pads, windows.over), power)


def _rooted(read: Reading, x: Value, total: Operation, power: int) -> Value:
    """A sum; of `lp` with 2, the root of the sum of squares."""
    if power == 1:
        return read.add(total, x)
    squares = read.add(Elementwise("square"), x, suffix="square")
    return read.add(Elementwise("sqrt"), read.add(total, squares, suffix="sum"))


@register("elemwise_add", "_Plus", "_plus", "_add", "ElementWiseSum", "add_n")
def add(read: Reading) -> Value:
    read.ignore("num_args")
    total, *rest = read.inputs
    for i, each in enumerate(rest):
        total = read.add(Elementwise("add"), total, each, suffix=str(i) if i else "")
    return total


@register("Concat", "concat")
def concat(read: Reading) -> Value:
    read.ignore("num_args")
    return read.add(Concat(read.integer("dim", 1) % read.inputs[0].rank), *read.inputs)


@register("Dropout")
def dropout(read: Reading) -> Value:
    mode = read.text("mode", "training")
    if mode != "training":
        raise read.refused(f"it leaves out numbers outside of training too: mode={mode}")
    axes = read.sizes("axes")
    return read.add(Dropout(read.number("p", 0.5), axes), read.inputs[0])


@register("clip")
def clip(read: Reading) -> Value:
    return read.add(Clip(read.number("a_min"), read.number("a_max")), *read.inputs)
