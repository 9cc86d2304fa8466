"""Where each step of a live network stands: which of its blocks it is, or what it is in one.

A framework's layer is a block, and so is what others are made of. Who reads a network wants the
layer to be the node: `features.0` is a convolution, and not a block that has one inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TypeAlias

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Step:
    """What a live network did, once.

    Attributes:
        word: what it does, in a word that can be a name: `relu`.
        blocks: the names of the blocks that it is in, from the outside.
        kinds: their classes; empty of a list.
        call: how often the innermost of them had been called before.
        owned: what that block calls those of its own parameters that this takes.
        takes: the places of the steps whose outputs it takes.
        fixed: whether it is the same for every input.
        name: its own, where it has one that is the same in every call.
    """

    word: str
    blocks: Names
    kinds: Names
    call: int = 0
    owned: Names = ()
    takes: frozenset[int] = frozenset()
    fixed: bool = False
    name: str = ""


@dataclass
class _Block:
    """What is known of a block: the places of its steps by call, and the blocks inside it."""

    calls: dict[int, list[int]] = field(default_factory=dict)
    inside: set[Names] = field(default_factory=set)


def located(steps: Sequence[Step]) -> list[tuple[Names, Names]]:
    """The path of each step, and the classes of the blocks around it: see `Node`.

    - A block that is one step has the path of the block: `("features", "0")`. What it does to its
      parameters before that is no step of its own.
    - A layer with an activation in it is two: `("features", "0")` and `("features", "0_relu")`.
    - In any other block, a step is named by the words that its parameters begin with (`i2h` of
      `i2h_weight` and `i2h_bias`), or by its own; a second one has a number.

    Args:
        steps: all of a network, in the order in which they ran.
    """
    blocks: dict[Names, _Block] = {}
    for place, step in enumerate(steps):
        own = blocks.setdefault(step.blocks, _Block())
        calls = own.calls.setdefault(step.call, [])
        if not step.fixed:
            calls.append(place)
        for depth in range(len(step.blocks)):
            blocks.setdefault(step.blocks[:depth], _Block()).inside.add(step.blocks)
    activations = {
        inner: f"{path[-1]}_{steps[blocks[inner].calls[0][0]].word}"
        for path in blocks
        if (inner := _activation(steps, blocks, path))
    }
    layers = {
        path
        for path, block in blocks.items()
        if path and _is_single(block) and block.inside <= activations.keys()
        if not (steps[next(iter(block.calls.values()))[0]].name)
    }
    names = _own_names(steps, blocks)
    found = []
    for place, step in enumerate(steps):
        path, kinds = step.blocks, step.kinds
        if path in activations:
            found.append(((*path[:-2], activations[path]), kinds[:-2]))
        elif path not in layers:
            found.append(((*path, names[place]), kinds))
        elif step.fixed:
            found.append(((*path[:-1], f"{path[-1]}_{names[place]}"), kinds[:-1]))
        else:
            found.append((path, kinds[:-1]))
    return found


def _is_single(block: _Block) -> bool:
    """Whether each call of a block is one step of its own."""
    return bool(block.calls) and all(len(call) == 1 for call in block.calls.values())


def _activation(steps: Sequence[Step], blocks: Mapping[Names, _Block], path: Names) -> Names | None:
    """The block in a layer that does what follows its only step, if that is all it has inside."""
    block = blocks[path]
    if not path or len(block.inside) != 1 or not _is_single(block):
        return None
    (inner,) = block.inside
    if len(inner) != len(path) + 1 or blocks[inner].inside or not _is_single(blocks[inner]):
        return None
    made = [call[0] for call in block.calls.values()]
    followed = [call[0] for call in blocks[inner].calls.values()]
    if len(made) != len(followed) or not all(steps[place].owned for place in made):
        return None
    follows = all(place in steps[after].takes for place, after in zip(made, followed, strict=True))
    return inner if follows and not any(steps[place].owned for place in followed) else None


def _own_names(steps: Sequence[Step], blocks: Mapping[Names, _Block]) -> list[str]:
    """What each step is called in its block: the same in each call of it."""
    taken: dict[Names, set[str]] = {
        path: {inner[len(path)] for inner in block.inside} for path, block in blocks.items()
    }
    for step in steps:
        taken[step.blocks].update(step.owned)
    used: dict[tuple[Names, int], Counter[str]] = {}
    names = []
    for step in steps:
        counts = used.setdefault((step.blocks, step.call), Counter())
        base = _stem(step.owned) or step.name or step.word
        if base in taken[step.blocks]:
            base += "_"
        number = counts[base]
        counts[base] += 1
        names.append(f"{base}{number}" if number else base)
    return names


def _stem(owned: Sequence[str]) -> str:
    """The words that all names of parameters begin with; of one, all but its last."""
    words = [name.split("_")[:-1] for name in owned]
    shared = takewhile(lambda column: len(set(column)) == 1, zip(*words, strict=False))
    return "_".join(column[0] for column in shared)
