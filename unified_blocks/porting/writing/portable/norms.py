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
from unified_blocks.porting.writing.pieces import Slot, call
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(BatchNorm)
def batch_norm(operation: BatchNorm, node: Node) -> Word:
    x, gamma, beta, mean, variance = node.inputs
    if operation.axis != 1 and operation.axis != 1 - x.rank:
        raise UnsupportedError(f"a BatchNorm must be over axis 1; got axis {operation.axis}")
    if not own_weights(node, 1, 2, 3, 4):
        raise UnsupportedError("the numbers of a BatchNorm must be parameters; got computed ones")
    layer = call(
        "ub.BatchNorm",
        epsilon=(operation.epsilon, 1e-5),
        momentum=(round(1 - operation.momentum, 12), 0.1),
        use_global_stats=(operation.frozen, False),
    )
    return Word(layer, named(weight=gamma, bias=beta, running_mean=mean, running_var=variance))


@writes(GroupNorm)
def group_norm(operation: GroupNorm, node: Node) -> Word:
    return _norm("GroupNorm", node, operation.epsilon, Slot(operation.groups, "groups"))


@writes(InstanceNorm)
def instance_norm(operation: InstanceNorm, node: Node) -> Word:
    return _norm("InstanceNorm", node, operation.epsilon)


@writes(LayerNorm)
def layer_norm(operation: LayerNorm, node: Node) -> Word:
    return _norm("LayerNorm", node, operation.epsilon)


def _norm(kind: str, node: Node, epsilon: float, *slots: Slot) -> Word:
    _, gamma, beta = node.inputs
    if not own_weights(node, 1, 2):
        raise UnsupportedError(f"the numbers of a {kind} must be parameters; got computed ones")
    return Word(call(f"ub.{kind}", *slots, epsilon=(epsilon, 1e-5)), named(weight=gamma, bias=beta))


@writes(ResponseNorm)
def response_norm(operation: ResponseNorm, node: Node) -> Word:
    options = {
        "alpha": (operation.alpha, 1e-4),
        "beta": (operation.beta, 0.75),
        "k": (operation.k, 1.0),
    }
    return Word(call("ub.LocalResponseNorm", Slot(operation.size, "size"), **options))
