"""What a network ends with in training: here, what it gives when it is used."""

from __future__ import annotations

import math

from unified_blocks.porting.graph import Value
from unified_blocks.porting.mxnet.reading import Reading, register
from unified_blocks.porting.operations.activations import Softmax
from unified_blocks.porting.operations.elementwise import Elementwise, StopGradient
from unified_blocks.porting.operations.shapes import Reshape


@register("SoftmaxOutput", "Softmax")
def softmax_output(read: Reading) -> Value:
    read.ignore("grad_scale", "ignore_label", "use_ignore", "normalization", "out_grad")
    read.ignore("smooth_alpha")
    (x,) = read.inputs
    several, kept = read.flag("multi_output", False), read.flag("preserve_shape", False)
    if several or x.rank == 2:
        return read.add(Softmax(1), x)
    return read.add(Softmax(x.rank - 1), x) if kept else softmax_of_all(read)


def softmax_of_all(read: Reading) -> Value:
    """Over all numbers of each in a batch."""
    x = read.inputs[0]
    if x.rank == 2:
        return read.add(Softmax(1), x)
    flat = read.add(Reshape((x.shape[0], math.prod(x.shape[1:]))), x, suffix="flatten")
    return read.add(Reshape(x.shape), read.add(Softmax(1), flat, suffix="softmax"))


@register("WarpCTC")
def warp_ctc(read: Reading) -> Value:
    read.ignore("label_length", "input_length")
    (x,) = read.inputs
    return read.add(Softmax(x.rank - 1), x)


@register("LogisticRegressionOutput")
def logistic_output(read: Reading) -> Value:
    read.ignore("grad_scale")
    return read.add(Elementwise("sigmoid"), *read.inputs)


@register(
    *("LinearRegressionOutput", "MAERegressionOutput", "SVMOutput", "MakeLoss", "make_loss"),
    *("identity", "_copy"),
)
def as_it_is(read: Reading) -> Value:
    read.ignore("grad_scale", "valid_thresh", "normalization", "margin", "use_linear")
    read.ignore("regularization_coefficient")
    return read.inputs[0]


@register("BlockGrad", "stop_gradient")
def block_grad(read: Reading) -> Value:
    return read.add(StopGradient(), *read.inputs)
