"""Norms."""

from __future__ import annotations

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.norms import BatchNorm, LayerNorm
from unified_blocks.porting.writing.pieces import Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import channels, writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(BatchNorm)
def batch_norm(operation: BatchNorm, node: Node) -> Word:
    x, gamma, beta, mean, variance = node.inputs
    if operation.axis != 1 and operation.axis != 1 - x.rank:
        raise UnsupportedError(f"a BatchNorm must be over axis 1; got axis {operation.axis}")
    if not own_weights(node, 1, 2, 3, 4) or x.rank > 5:
        raise UnsupportedError("the numbers of a BatchNorm must be parameters; got computed ones")
    kind = f"{'Frozen' if operation.frozen else ''}BatchNorm{max(x.rank - 2, 1)}d"
    layer = call(
        kind,
        channels(x.shape[1]),
        eps=(operation.epsilon, 1e-5),
        momentum=(round(1 - operation.momentum, 12), 0.1),
    )
    weights = named(weight=gamma, bias=beta, running_mean=mean, running_var=variance)
    return Word(layer, weights, needs=(kind,))


@writes(LayerNorm)
def layer_norm(operation: LayerNorm, node: Node) -> Word:
    x, gamma, beta = node.inputs
    if not own_weights(node, 1, 2):
        shape = text("({},)", channels(x.shape[-1]))
        epsilon = Slot(operation.epsilon, "eps")
        return Word(expression=call("F.layer_norm", x, shape, gamma, beta, epsilon))
    layer = call("nn.LayerNorm", channels(x.shape[-1]), eps=(operation.epsilon, 1e-5))
    return Word(layer, named(weight=gamma, bias=beta))
