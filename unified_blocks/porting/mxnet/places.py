"""Where each node of a symbol stands in the blocks of the net that it was traced from."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from unified_blocks.backend.traces import CALL, KINDS, PATH
from unified_blocks.porting.mxnet.symbols import Symbol, SymbolNode
from unified_blocks.porting.passes.blocks import Names, Step, located


def places_of(symbol: Symbol, names: Mapping[str, Names]) -> dict[int, tuple[Names, Names]]:
    """The path of each node, and the classes of the blocks around it; none where nobody told.

    Args:
        symbol: with the notes of a trace.
        names: of arrays, the names of the blocks that own each, and its own.
    """
    if not any(PATH in node.notes for node in symbol.nodes):
        return {}
    places = [i for i, node in enumerate(symbol.nodes) if node.operator != "null"]
    number = {place: i for i, place in enumerate(places)}
    fixed = {i for i, node in enumerate(symbol.nodes) if node.name in names}
    steps = []
    for place in places:
        node = symbol.nodes[place]
        blocks, kinds = (ast.literal_eval(node.notes.get(key, "()")) for key in (PATH, KINDS))
        sources = [source for source, _ in node.inputs]
        if fixed.issuperset(sources):
            fixed.add(place)
        paths = [names.get(symbol.nodes[source].name, ()) for source in sources]
        steps.append(
            Step(
                word=word_of(node),
                blocks=blocks,
                kinds=kinds,
                call=int(node.notes.get(CALL, 0)),
                owned=tuple(path[-1] for path in paths if path and path[:-1] == blocks),
                takes=frozenset(number[source] for source in sources if source in number),
                fixed=place in fixed,
                name="" if CALL in node.notes else node.name.removesuffix("_fwd"),
            )
        )
    return dict(zip(places, located(steps), strict=True))


def word_of(node: SymbolNode) -> str:
    """What a node does, in a word: the function of an activation, or the operator."""
    said = node.options.get("act_type") or node.options.get("pool_type") or ""
    if said and "pool_type" in node.options:
        said += "_pool"
    plain = re.sub(r"^_*(npx?_|contrib_|internal_)*_*", "", node.operator.lower())
    return re.sub(r"\W", "_", said or plain) or "step"
