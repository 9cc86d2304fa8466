"""Activations, and softmax."""

from __future__ import annotations

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.activations import Elu, LeakyRelu, PRelu, Softmax
from unified_blocks.porting.operations.elementwise import Clip, Elementwise
from unified_blocks.porting.operations.operation import axis_of
from unified_blocks.porting.operations.sequences import MaskedSoftmax


@register("LeakyReLU")
def leaky_relu(read: Reading) -> Value:
    kind = read.text("act_type", "leaky")
    slope, low, high = (
        read.number("slope", 0.25),
        read.number("lower_bound", 0.125),
        read.number("upper_bound", 0.334),
    )
    x = read.inputs[0]
    if kind == "leaky":
        return read.add(LeakyRelu(slope), x)
    if kind == "rrelu":  # drawn in training only
        return read.add(LeakyRelu((low + high) / 2), x)
    if kind == "elu":
        return read.add(Elu(slope), x)
    if kind == "prelu":
        return read.add(PRelu(), x, read.inputs[1])
    if kind in ("selu", "gelu"):
        return read.add(Elementwise(kind), x)
    raise read.refused(f"act_type={kind} is not known")


@register("hard_sigmoid")
def hard_sigmoid(read: Reading) -> Value:
    alpha, beta = read.number("alpha", 0.2), read.number("beta", 0.5)
    steep = read.add(
        Elementwise("multiply"), read.inputs[0], read.constant(alpha), suffix="multiply"
    )
    return read.add(
        Clip(0.0, 1.0), read.add(Elementwise("add"), steep, read.constant(beta), suffix="add")
    )


@register("softmax", "log_softmax", "softmin")
def softmax(read: Reading) -> Value:
    x, *lengths = read.inputs
    if not read.flag("use_length", False):
        lengths = []
    elif not lengths:
        raise read.refused("use_length=True without lengths")
    elif read.operator != "softmax":
        raise read.refused("use_length=True: it leaves out what is beyond a length")
    if (dtype := read.text("dtype", None)) not in (None, "None", x.dtype):
        raise read.refused(f"dtype={dtype} of {x.dtype}")
    if (temperature := read.number("temperature", None)) not in (None, 1.0):
        x = read.add(Elementwise("divide"), x, read.constant(temperature), suffix="divide")
    if read.operator == "softmin":
        x = read.add(Elementwise("negative"), x, suffix="negative")
    axis = axis_of(read.integer("axis", -1), x.rank)
    if lengths:
        return read.add(MaskedSoftmax(axis), x, *lengths)
    return read.add(Softmax(axis, log=read.operator == "log_softmax"), x)


@register("SoftmaxActivation")
def softmax_activation(read: Reading) -> Value:
    mode, (x,) = read.text("mode", "instance"), read.inputs
    if mode not in ("instance", "channel"):
        raise read.refused(f"mode={mode} is not known")
    return read.add(Softmax(1 if mode == "channel" else x.rank - 1), x)
