"""Recurrent layers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from unified_blocks.errors import UnsupportedError
from unified_blocks.porting.graph import Node
from unified_blocks.porting.operations.recurrent import Recurrent
from unified_blocks.porting.writing.pieces import Slot, call
from unified_blocks.porting.writing.pytorch.vocabulary import writes
from unified_blocks.porting.writing.words import Word, named, own_weights


@writes(Recurrent)
def recurrent(operation: Recurrent, node: Node) -> Word:
    count = len(operation.names)
    if not own_weights(node, *range(1, 1 + count)):
        raise UnsupportedError("the numbers of a recurrent layer must be parameters, each its own")
    kind, _, activation = operation.cell.partition("_")
    options: dict[str, Any] = {
        "num_layers": (operation.num_layers, 1),
        "nonlinearity": (activation or "tanh", "tanh"),
        "batch_first": (operation.batch_first, False),
        "dropout": (operation.dropout if operation.num_layers > 1 else 0.0, 0.0),
        "bidirectional": (operation.bidirectional, False),
    }
    layer = call(
        f"nn.{kind.upper()}",
        Slot(node.inputs[0].shape[-1], "input_size"),
        Slot(operation.units, "hidden_size"),
        **options,
    )
    state = "({}, {})" if operation.state_count == 2 else "{}"
    called = f"{{}}({{}}, {state})" if operation.states else "{}({})"
    if operation.lengths:
        states = f"states={state}, " if operation.states else ""
        called = f"packed({{}}, {{}}, {states}lengths={{}})"
    word = Word(
        layer,
        named(**dict(zip(operation.names, node.inputs[1 : 1 + count], strict=True))),
        called=called,
        gives=f"{{}}, {state}",
        needs=("packed",) if operation.lengths else (),
    )
    return replace(word, alone=replace(word, called=f"{called}[0]", gives="", count=1))
