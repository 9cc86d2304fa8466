"""A network of a framework's own, written down: its graph, its numbers, and what they are called.

What `unified_blocks.porting` reads of a live network. The graph is text in the framework's own
format, so that who reads it needs no framework.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from unified_blocks.types import Array, Shape

PATH, KINDS, CALL = "__block_path__", "__block_kinds__", "__block_call__"
"""User attributes in which a trace of live blocks says which blocks a node is in.

The names and the classes of these blocks from the outside, as Python writes tuples, and how often
the innermost had been called before. A node of a block that was a file has no number of calls, and
keeps its name.
"""


@dataclass(frozen=True)
class Trace:
    """What a network did when it was called.

    Attributes:
        name: the class of the network.
        graph: its operations, in the format of its framework; each says which blocks it is in.
        arrays: all its numbers, by the names of the graph.
        inputs: shape and dtype of each input, by the names of the graph, in order.
        names: of arrays, the names of the blocks that own each, and its own there, as files of the
            framework have them: `("features", "0", "weight")`.
        frozen: those of its arrays that are parameters, and that training leaves as they are.
        origin: where it is from, in words.
    """

    name: str
    graph: str
    arrays: Mapping[str, Array]
    inputs: Mapping[str, tuple[Shape, str]]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()
    origin: str = ""


@dataclass(frozen=True)
class Evaluation:
    """What a framework computes of a graph.

    Attributes:
        values: what each operation gives, by its name; by `name.0`, `name.1`, … where it gives
            several.
        gradients: of the weighted sum of the outputs, by the names of arrays and inputs; empty
            where none were asked for.
    """

    values: Mapping[str, Array]
    gradients: Mapping[str, Array]
