"""Norms."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.norms import (
    BatchNorm,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    ResponseNorm,
)
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import channels, from_end, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(BatchNorm)
def batch_norm(operation: BatchNorm, node: Node) -> Word:
    x, gamma, beta, mean, variance = node.inputs
    if not own_weights(node, 1, 2, 3, 4) or x.rank > 5:
        raise UnsupportedError("the numbers of a BatchNorm must be parameters; got computed ones")
    kind = f"{'Frozen' if operation.frozen else ''}BatchNorm{max(x.rank - 2, 1)}d"
    layer = call(
        kind,
        channels(x.shape[operation.axis]),
        eps=(operation.epsilon, 1e-5),
        momentum=(round(1 - operation.momentum, 12), 0.1),
    )
    weights = named(weight=gamma, bias=beta, running_mean=mean, running_var=variance)
    turn = "" if operation.axis == 1 else f".transpose(1, {from_end(operation.axis, x)})"
    return Word(layer, weights, called=f"{{}}({{}}{turn}){turn}", needs=(kind,))


@writes(GroupNorm)
def group_norm(operation: GroupNorm, node: Node) -> Word:
    x, gamma, beta = node.inputs
    if not own_weights(node, 1, 2):
        raise UnsupportedError("the numbers of a GroupNorm must be parameters; got computed ones")
    layer = call(
        "nn.GroupNorm",
        Slot(operation.groups, "groups"),
        channels(x.shape[1]),
        eps=(operation.epsilon, 1e-5),
    )
    return Word(layer, named(weight=gamma, bias=beta))


@writes(InstanceNorm)
def instance_norm(operation: InstanceNorm, node: Node) -> Word:
    x, gamma, beta = node.inputs
    if not own_weights(node, 1, 2) or not 3 <= x.rank <= 5:
        raise UnsupportedError("the numbers of an InstanceNorm must be parameters of images")
    layer = call(
        f"nn.InstanceNorm{x.rank - 2}d",
        channels(x.shape[1]),
        eps=(operation.epsilon, 1e-5),
        affine=(True, False),
    )
    return Word(layer, named(weight=gamma, bias=beta))


@writes(ResponseNorm)
def response_norm(operation: ResponseNorm, node: Node) -> Word:
    layer = call(
        "nn.LocalResponseNorm",
        Slot(operation.size, "size"),
        alpha=(operation.alpha, 1e-4),
        beta=(operation.beta, 0.75),
        k=(operation.k, 1.0),
    )
    return Word(layer)


@writes(LayerNorm)
def layer_norm(operation: LayerNorm, node: Node) -> Word:
    x, gamma, beta = node.inputs
    if not own_weights(node, 1, 2):
        shape = text("({},)", channels(x.shape[-1]))
        epsilon = Slot(operation.epsilon, "eps")
        return Word(expression=call("F.layer_norm", x, shape, gamma, beta, epsilon))
    layer = call("nn.LayerNorm", channels(x.shape[-1]), eps=(operation.epsilon, 1e-5))
    return Word(layer, named(weight=gamma, bias=beta))
