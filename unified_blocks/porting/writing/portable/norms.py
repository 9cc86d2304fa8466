"""Norms."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.norms import BatchNorm
from unified_blocks.porting.writing.pieces import call
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
