"""Recurrent layers, which here have the batch first."""

from __future__ import annotations

from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.recurrent import Recurrent
from unified_blocks.porting.writing.pieces import Piece, Slot, call
from unified_blocks.porting.writing.portable.vocabulary import writes
from unified_blocks.porting.writing.words import Word, named, own_weights

TURNED = "ub.ops.permute_dims({}, (1, 0, 2))"


@writes(Recurrent)
def recurrent(operation: Recurrent, node: Node) -> Word:
    count = len(operation.names)
    if not own_weights(node, *range(1, 1 + count)):
        raise UnsupportedError("the numbers of a recurrent layer must be parameters, each its own")
    weights = named(**dict(zip(operation.names, node.inputs[1 : 1 + count], strict=True)))
    state = "({}, {})" if operation.state_count == 2 else "{}"
    x = "{}" if operation.batch_first else TURNED
    given = [x, *([state] if operation.states else [])]
    given += [f"lengths=ub.ops.astype({{}}, {WHOLE})"] if operation.lengths else []
    called = f"{{}}({', '.join(given)})"
    alone = called if operation.batch_first else TURNED.format(called)
    if not operation.batch_first:
        return Word(_layer(operation, False), weights, called=alone, count=1)
    return Word(
        _layer(operation, True),
        weights,
        called=called,
        gives=f"{{}}, {state}",
        alone=Word(_layer(operation, False), weights, called=alone, count=1),
    )


WHOLE = '"int64"'


def _layer(operation: Recurrent, returns: bool) -> Piece:
    kind, _, activation = operation.cell.partition("_")
    options: dict[str, Any] = {
        "num_layers": (operation.num_layers, 1),
        "activation": (activation or "tanh", "tanh"),
        "bidirectional": (operation.bidirectional, False),
        "dropout": (operation.dropout if operation.num_layers > 1 else 0.0, 0.0),
        "return_state": (returns, False),
    }
    return call(f"ub.{kind.upper()}", Slot(operation.units, "units"), **options)
