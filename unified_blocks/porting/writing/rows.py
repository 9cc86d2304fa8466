"""Rows of layers of which some do more: steps that stand beside a layer become part of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import groupby

from unified_blocks.porting.graph import Node
from unified_blocks.porting.structure import Item, Scope, given, taken
from unified_blocks.porting.writing.drafts import Drafting


def rows(scope: Scope, drafting: Drafting) -> Scope:
    """A network whose rows of layers have `0_flatten`, `0` and `0_relu` as one layer, `0`.

    A row stays as it is where that would be no layer, or the row no row.
    """
    items: list[Item] = [
        rows(item, drafting) if isinstance(item, Scope) else item for item in scope.items
    ]
    plain = replace(scope, items=items)
    if not scope.is_chain or drafting.is_sequence(plain):
        return plain
    layers: list[Item] = []
    for name, group in groupby(items, _number):
        match list(group):
            case [item]:
                layers.append(item)
            case several:
                path = (*scope.path, name)
                layer = Scope(name, path, "", several, taken(several[0]), given(several[-1]))
                if not all(isinstance(i, Node) for i in several) or not drafting.is_inline(layer):
                    return plain
                layers.append(layer)
    row = replace(scope, items=layers)
    return row if drafting.is_sequence(row) else plain


def _number(item: Item) -> str:
    """The number of the layer that a step belongs to, by its name."""
    name = item.path[-1]
    return name.partition("_")[0]
