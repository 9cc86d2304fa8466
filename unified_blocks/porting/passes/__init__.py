"""Changes to a graph before it is written: what is constant, in which order, in which blocks."""

from __future__ import annotations

from unified_blocks.porting.graph import Graph
from unified_blocks.porting.passes.folding import fold
from unified_blocks.porting.passes.naming import name_blocks
from unified_blocks.porting.passes.ordering import order
from unified_blocks.porting.passes.repeats import find_repeats

__all__ = ["prepared"]


def prepared(graph: Graph) -> Graph:
    """A graph as it is written: constants folded, its nodes in blocks, each block in one piece.

    Where the graph does not know its blocks, they follow from the names of its nodes, and from what
    is repeated.
    """
    fold(graph)
    if not _told(graph):
        name_blocks(graph)
        order(graph)
        find_repeats(graph)
    order(graph)
    return graph


def _told(graph: Graph) -> bool:
    """Whether somebody told the blocks of the nodes, or of the numbers that they have."""
    nodes = any(node.kinds or len(node.path) > 1 for node in graph.nodes)
    return nodes or any(len(parameter.path) > 1 for parameter in graph.parameters())
