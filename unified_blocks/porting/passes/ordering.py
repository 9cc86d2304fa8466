"""The nodes of a graph in an order in which each block runs in one piece."""

from __future__ import annotations

from collections.abc import Sequence

from unified_blocks.porting.graph import Graph, Node, Value


def order(graph: Graph) -> None:
    """Bring the nodes of each block together, as far as what they take allows.

    A block that is called again, with what others made of its first output, stays in pieces: each
    is a call.
    """
    places = {id(node): place for place, node in enumerate(graph.nodes)}
    makers = graph.makers()
    graph.nodes = _ordered(graph.nodes, 0, makers, places)


def _ordered(
    nodes: Sequence[Node], depth: int, makers: dict[Value, Node], places: dict[int, int]
) -> list[Node]:
    """Nodes that share their first `depth` blocks."""
    groups: dict[object, list[Node]] = {}
    for node in nodes:
        inside = len(node.path) > depth + 1
        groups.setdefault(node.path[depth] if inside else id(node), []).append(node)
    pieces = list(groups.values())
    while True:
        following = _followed(pieces, makers)
        sorted_pieces, stuck = _sorted(pieces, following, places)
        if not stuck:
            break
        pieces = [
            part
            for i, piece in enumerate(pieces)
            for part in (_runs(piece, places, pieces, i, stuck) if i in stuck else [piece])
        ]
    return [
        node
        for piece in sorted_pieces
        for node in (_ordered(piece, depth + 1, makers, places) if len(piece) > 1 else piece)
    ]


def _followed(pieces: list[list[Node]], makers: dict[Value, Node]) -> list[set[int]]:
    """For each piece, the others whose outputs it takes."""
    owner = {id(node): i for i, piece in enumerate(pieces) for node in piece}
    return [
        {
            owner[id(makers[value])]
            for node in piece
            for value in node.taken
            if value in makers and owner.get(id(makers[value]), i) != i
        }
        for i, piece in enumerate(pieces)
    ]


def _sorted(
    pieces: list[list[Node]], before: list[set[int]], places: dict[int, int]
) -> tuple[list[list[Node]], set[int]]:
    """The pieces in an order in which they can run, and those that wait for each other.

    Of those that can run, the one that ends first in the given order does.
    """
    waiting = dict(enumerate(before))
    last = [max(places[id(node)] for node in piece) for piece in pieces]
    done: list[list[Node]] = []
    while waiting:
        ready = [i for i, needed in waiting.items() if not needed & waiting.keys()]
        if not ready:
            return done, _in_circles(waiting)
        chosen = min(ready, key=lambda i: last[i])
        done.append(pieces[chosen])
        del waiting[chosen]
    return done, set()


def _in_circles(waiting: dict[int, set[int]]) -> set[int]:
    """Those that wait for themselves in the end."""
    reach = {i: needed & waiting.keys() for i, needed in waiting.items()}
    changed = True
    while changed:
        changed = False
        for known in reach.values():
            more = set().union(*(reach[j] for j in known)) - known if known else set()
            if more:
                known |= more
                changed = True
    return {i for i, known in reach.items() if i in known}


def _runs(
    piece: list[Node], places: dict[int, int], pieces: list[list[Node]], index: int, stuck: set[int]
) -> list[list[Node]]:
    """A piece cut wherever another of those that are stuck comes in between."""
    others = sorted(places[id(node)] for i in stuck if i != index for node in pieces[i])
    runs: list[list[Node]] = []
    previous = -1
    for node in sorted(piece, key=lambda each: places[id(each)]):
        place = places[id(node)]
        if not runs or any(previous < other < place for other in others):
            runs.append([])
        runs[-1].append(node)
        previous = place
    return runs
