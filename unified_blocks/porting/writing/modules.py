"""Networks as classes: what the targets that have classes share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from unified_blocks.porting.graph import Graph, Node, Parameter
from unified_blocks.porting.structure import Scope
from unified_blocks.porting.writing.definitions import Defining, DiffersError
from unified_blocks.porting.writing.dialect import Dialect
from unified_blocks.porting.writing.drafts import Drafting
from unified_blocks.porting.writing.naming import camel, distinct, network_name
from unified_blocks.porting.writing.rows import rows
from unified_blocks.porting.writing.sources import source_of
from unified_blocks.porting.writing.words import Word
from unified_blocks.porting.writing.written import Called
from unified_blocks.types import State

Names = Mapping[Parameter, Sequence[str]]


@dataclass(frozen=True)
class Classes:
    """A network as classes, from the innermost to its own.

    Attributes:
        name: of its own class.
        sources: the text of each class and function.
        helpers: names of helpers that they use.
        state: its numbers, by dotted name.
        names: of each array, its first name in the state.
        layers: of each layer and block, by dotted name, its calls.
        inputs: the names that its forward gives them.
    """

    name: str
    sources: tuple[str, ...]
    helpers: tuple[str, ...]
    state: State
    names: Mapping[str, str]
    layers: Mapping[str, tuple[Called, ...]]


def classes(
    graph: Graph,
    scope: Scope,
    name: str,
    words: Mapping[Node, Word],
    dialect: Dialect,
    ending: Callable[[Names], Sequence[str]],
) -> Classes:
    """Write a network as classes.

    Args:
        graph: the network.
        scope: how it is divided into blocks.
        name: of its class.
        words: of each node.
        dialect: of the target.
        ending: the lines that end its constructor, of the names of its parameters.
    """
    batch = next((value.shape[0] for value in graph.inputs if value.rank), 1)
    opened: frozenset[tuple[str, ...]] = frozenset()
    while True:
        drafting = Drafting(words, dialect, batch, opened=opened)
        defining = Defining(drafting)
        try:
            top = defining.define(
                rows(scope, drafting), distinct(camel(network_name(name)), dialect.reserved)
            )
            break
        except DiffersError as error:
            opened |= {error.path}
    owned = {
        parameter: [".".join([*map(dialect.known, path[:-1]), path[-1]]) for path in paths]
        for parameter, paths in drafting.owned.items()
    }
    sources = [source_of(each, dialect) for each in defining.definitions.values()]
    sources.append(source_of(top, dialect, ending(owned)))
    return Classes(
        top.name,
        tuple(sources),
        tuple(drafting.helpers),
        {each: parameter.data for parameter, names in owned.items() for each in names},
        {parameter.name: names[0] for parameter, names in owned.items()},
        {
            ".".join(map(dialect.known, path)): tuple(map(Called, values))
            for path, values in drafting.layers.items()
        },
    )


def uses(name: str, source: str) -> bool:
    """Whether source uses a name."""
    return re.search(rf"(?<![\w.\"]){re.escape(name)}\b", source) is not None
