"""What is repeated is drawn once: calls in a row that are the same, and blocks of one structure."""

from __future__ import annotations

from collections.abc import Hashable

from unified_blocks.pictures.wiring import Item

MANY = 20
"""Of how many calls a picture may be before blocks of a structure that was drawn are left shut."""


def folded(item: Item) -> Item:
    """`item`, in which calls in a row that are the same are one, drawn `times`."""
    for each in item.inside:
        folded(each)
        _without_frame(each)
    made: list[Item] = []
    while item.inside:
        run = _run(item.inside)
        first = run[0]
        if len(run) > 1 and run[-1].node is not None:
            first.times, first.last = len(run), run[-1].node.path
            first.is_beside = first not in run[1].sources
            first.values = run[-1].values
        del item.inside[: len(run)]
        for other in (*item.inside, *made):
            if any(each in other.sources for each in run[1:]):
                other.sources = list(dict.fromkeys(first if s in run else s for s in other.sources))
        made.append(first)
    item.inside = made
    return item


def _without_frame(item: Item) -> None:
    """A sequence of calls that are the same is these calls."""
    sequence = item.node is not None and item.node.is_sequence
    if sequence and [each.role for each in item.inside] == ["entry", "call", "exit"]:
        entry, inner, leaving = item.inside
        if inner.times > 1 and inner.sources == [entry] and leaving.sources == [inner]:
            item.node, item.inside, item.times = inner.node, inner.inside, inner.times
            item.last, item.is_beside = inner.last, inner.is_beside


def _run(items: list[Item]) -> list[Item]:
    """The first of `items`, with all after it that are one with it."""
    first = items[0]
    if first.role != "call" or first.times > 1:
        return [first]
    in_row, beside = [first], [first]
    users = {id(item): [other for other in items if item in other.sources] for item in items}
    key = same_as(first)
    for item in items[1:]:
        if item.role != "call" or same_as(item) != key:
            break
        before = in_row[-1]
        if (
            len(in_row) == items.index(item)
            and before in item.sources
            and {*item.sources} - {before} <= {*first.sources}
            and users[id(before)] == [item]
        ):
            in_row.append(item)
        if (
            len(beside) == items.index(item)
            and item.sources == first.sources
            and users[id(item)] == users[id(first)]
        ):
            beside.append(item)
    if len(beside) <= max(2, len(in_row)):  # two are compared by those who look at them
        return in_row
    return beside


def same_as(item: Item) -> Hashable:
    """What two calls have in common that are the same but for their numbers."""
    return structure(item, sizes=True)


def structure(item: Item, sizes: bool = False) -> Hashable:
    """What a call is made of, and how that hangs together; with `sizes`, all shapes too."""
    node = item.node
    inside = tuple(
        (structure(each, sizes), tuple(item.inside.index(source) for source in each.sources))
        for each in item.inside
    )
    about: tuple[Hashable, ...] = (item.role, item.label, item.times, inside)
    if node is None:
        return (*about, tuple(item.shapes) if sizes else None)
    if not sizes:
        return (*about, node.kind)
    shapes = (tuple(a.shape for a in arrays) for arrays in (node.call.inputs, node.call.outputs))
    return (*about, node.kind, *shapes, tuple(node.shapes.values()), node.count, node.is_shared)


def shut(root: Item) -> Item:
    """`root`, in which blocks that are called again are shut.

    In a large picture so are those of a structure that was drawn before.
    """
    _shut(root, {}, _calls(root) > MANY)
    return root


def _calls(item: Item) -> int:
    return sum(_calls(each) if each.inside else each.role == "call" for each in item.inside)


def _shut(item: Item, drawn: dict[Hashable, str], is_large: bool) -> None:
    for each in item.inside:
        if not each.inside or each.node is None:
            continue
        path = each.node.path
        key = (_structure_of_one(each), None if is_large else path)
        if key not in drawn:
            drawn[key] = path
            _shut(each, drawn, is_large)
            continue
        each.inside = []
        if drawn[key] != path:
            each.like = drawn[key]


def _structure_of_one(item: Item) -> Hashable:
    """The structure of one of the calls that `item` stands for."""
    times, item.times = item.times, 1
    found = structure(item)
    item.times = times
    return found
