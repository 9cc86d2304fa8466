"""The classes and functions that a network is written with: one for each distinct block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from unified_blocks.porting.operations.shapes import Reshape
from unified_blocks.porting.structure import Scope, given, taken
from unified_blocks.porting.writing.drafts import Draft, Drafting
from unified_blocks.porting.writing.grouping import BLOCKS, Argument, abstracted, with_loops
from unified_blocks.porting.writing.naming import GENERIC, camel, distinct, snake
from unified_blocks.porting.writing.pieces import (
    Part,
    Piece,
    bound,
    changed,
    slots,
    text,
    without_comments,
    written,
)
from unified_blocks.porting.writing.segments import Segments, segments

SHORTEST = 60
"""How long code must be that is worth a function."""


class DiffersError(Exception):
    """A block, of this path, does not do the same whenever it is called."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(".".join(path))
        self.path = path


@dataclass
class Definition:
    """A class, or a function that gives layers in a row.

    Attributes:
        name: of it.
        draft: one of the blocks that it is for, which tells all but its numbers.
        parts: the pieces of the draft, with references to the arguments.
        arguments: what it takes.
        is_function: whether it is a function.
        count: how many blocks it is for.
    """

    name: str
    draft: Draft
    parts: list[Part]
    arguments: tuple[Argument, ...] = ()
    is_function: bool = False
    count: int = 1


@dataclass
class Defining:
    """All definitions of a network, from the innermost blocks to the network itself."""

    drafting: Drafting
    definitions: dict[str, Definition] = field(default_factory=dict)

    def define(self, top: Scope, name: str) -> Definition:
        """Define all blocks of a network, and the network as a class.

        Raises:
            DiffersError: where a block is called again and does something else.
        """
        calls: dict[tuple[str, ...], list[Scope]] = {}
        heights: dict[tuple[str, ...], int] = {}

        def visit(scope: Scope) -> int:
            calls.setdefault(scope.path, []).append(scope)
            height = 1 + max((visit(each) for each in self.drafting.children(scope)), default=0)
            heights[scope.path] = max(height, heights.get(scope.path, 0))
            return height

        visit(top)
        for height in range(1, max(heights.values()) + 1):
            level = [path for path in calls if heights[path] == height and path]
            groups: dict[Any, list[Draft]] = {}
            for path in level:
                draft = self._looped(self._drafted(calls[path]), height)
                groups.setdefault(draft.key, []).append(draft)
            for drafts in groups.values():
                self._group(drafts, height)
        draft = self._looped(self.drafting.draft(top), max(heights.values()) + 1)
        whole = Definition(name, draft, list(draft.parts))
        self._inline(whole)
        self._name(whole)
        return whole

    def _drafted(self, calls: Sequence[Scope]) -> Draft:
        """The code of a block, which must be the same for each of its calls."""
        first, *others = (self.drafting.draft(scope) for scope in calls)
        for other in others:
            if other.key != first.key or _numbers(other) != _numbers(first):
                raise DiffersError(first.scope.path)
        return first

    def _looped(self, draft: Draft, height: int) -> Draft:
        """A draft whose layers in a row are loops where they are equal, and functions where several
        follow each other again and again.
        """
        if draft.statements:
            return draft
        pieces = with_loops(
            self._with_segments(draft),
            f"_i{height}",
            lambda part: (
                isinstance(part, Piece)
                and (part.head in self.definitions or len(written(without_comments(part))) > 70)
            ),
            lambda part: (
                BLOCKS if isinstance(part, Piece) and part.head in self.definitions else "layers"
            ),
        )
        named = [(str(i), piece) for i, piece in enumerate(pieces) if isinstance(piece, Piece)]
        return replace(draft, children=tuple(named))

    def _with_segments(self, draft: Draft) -> list[Piece]:
        row = [piece for _, piece in draft.children]
        if draft.base != self.drafting.dialect.sequence or len(row) != len(draft.scope.items):
            return row
        sizes = [(_channels(taken(i)), _channels(given(i))) for i in draft.scope.items]
        found = segments(row, sizes)
        if found is None:
            return row
        name = f"_d{len(self.definitions)}"
        first = draft.children[found.starts[0] : found.starts[0] + found.length]
        part = replace(draft, scope=Scope("0", (*draft.scope.path, "")), children=first)
        self.definitions[name] = Definition(
            name, part, list(found.common.parts), found.common.arguments, True, len(found.starts)
        )
        done: list[Piece] = []
        place = 0
        while place < len(row):
            if place in found.starts:
                piece = found.common.call(name, found.starts.index(place))
                place += found.length
                done.append(replace(text("*{}", piece), comment=_last_comment(row[:place], found)))
            else:
                done.append(row[place])
                place += 1
        return done

    def _group(self, drafts: list[Draft], height: int) -> None:
        """Make what makes each of some blocks that can have one definition."""
        first = drafts[0]
        is_row = not first.statements
        if is_row and first.scope.kind in GENERIC and len(drafts) == 1:
            made = self.drafting.dialect.row(first.base, first.parts)
            self.drafting.made[first.scope.path] = made
            return
        common = abstracted(
            [draft.parts for draft in drafts],
            [_channels(draft.scope.inputs) for draft in drafts],
            [_channels(draft.scope.outputs) for draft in drafts],
        )
        is_function = is_row and first.scope.kind in GENERIC
        name = f"_d{len(self.definitions)}"
        self.definitions[name] = Definition(
            name, first, list(common.parts), common.arguments, is_function, len(drafts)
        )
        for which, draft in enumerate(drafts):
            self.drafting.made[draft.scope.path] = common.call(name, which)

    def _inline(self, top: Definition) -> None:
        """Write functions where they are used, where that is only once, or where they are short."""
        for name, definition in list(self.definitions.items()):
            if not definition.is_function:
                continue
            users = [each for each in [*self.definitions.values(), top] if each is not definition]
            uses = sum(_uses(part, name) for each in users for part in each.parts)
            body = self.drafting.dialect.row(definition.draft.base, definition.parts)
            if uses > 1 and len(written(body)) >= SHORTEST and not _is_single(definition):
                continue
            for each in users:
                each.parts = [_with_body(part, definition, body) for part in each.parts]
            del self.definitions[name]

    def _name(self, top: Definition) -> None:
        """Give each definition a name of its own, and each loop a variable."""
        dialect = self.drafting.dialect
        taken = {*dialect.reserved, *self.drafting.helpers, top.name}
        names: dict[str, str] = {}
        kinds: dict[str, list[Definition]] = {}
        for key, definition in self.definitions.items():
            names[key] = wanted = _wanted(definition, self.drafting, names)
            kinds.setdefault(wanted, []).append(definition)
        for wanted, alike in kinds.items():
            common = Counter(extra for each in alike for extra in set(_extras(each)))
            for definition in alike:
                own = [extra for extra in _extras(definition) if common[extra] == 1]
                more = own[0] if len(own) == 1 and len(alike) > 1 else ""
                name = distinct(wanted + ("" if definition.is_function else more), taken)
                names[definition.name] = name
                taken.add(name)
        for definition in [*self.definitions.values(), top]:
            definition.name = names.get(definition.name, definition.name)
            definition.parts = [_renamed(part, names) for part in definition.parts]
        self.definitions = {each.name: each for each in self.definitions.values()}


def _last_comment(row: Sequence[Piece], found: Segments) -> str:
    """The last shape that some layers are said to give."""
    notes = [piece.comment for piece in row[-found.length :] if piece.comment]
    return notes[-1] if notes else ""


def _numbers(draft: Draft) -> list[Any]:
    return [repr(slot.value) for part in draft.parts for slot in slots(part)]


def _channels(values: Sequence[Any]) -> int | None:
    """How many channels the first of some images has, or features a vector."""
    return values[0].shape[1] if values and values[0].rank > 1 else None


def _is_single(definition: Definition) -> bool:
    """Whether it only wraps one other call."""
    (first, *others) = definition.parts
    return not others and isinstance(first, Piece) and first.is_call


def _uses(part: Part, name: str) -> int:
    """How often a piece calls a function; a loop does twice."""
    if not isinstance(part, Piece):
        return 0
    inside = sum(_uses(each, name) for each in part.parts)
    return (part.head == name) + inside * (2 if part.head.startswith("*({} for") else 1)


def _with_body(part: Part, definition: Definition, body: Piece) -> Part:
    """A piece with the body of a function in the place of its calls."""

    def change(each: Part) -> Part | None:
        if not isinstance(each, Piece) or each.head != definition.name:
            return None
        given = arguments_of(each, definition)
        new = bound(body, given)
        assert isinstance(new, Piece)
        return replace(new, comment=each.comment)

    return changed(part, change)


def arguments_of(piece: Piece, definition: Definition) -> dict[str, Part]:
    """What a call gives for each argument."""
    names = [argument.name for argument in definition.arguments]
    positional = [each for each, name in zip(piece.parts, piece.names, strict=True) if not name]
    free = [name for name in names if name not in piece.names]
    return {
        **dict(zip(free, positional, strict=True)),
        **{name: each for each, name in zip(piece.parts, piece.names, strict=True) if name},
    }


def _renamed(part: Part, names: dict[str, str]) -> Part:
    """A piece with the last names of what it calls."""
    if not isinstance(part, Piece):
        return part
    parts = tuple(_renamed(each, names) for each in part.parts)
    return replace(part, head=names.get(part.head, part.head), parts=parts)


WORDS = {
    "Conv": "conv",
    "BatchNorm": "bn",
    "LayerNorm": "norm",
    "Linear": "linear",
    "Dense": "linear",
    "Pool": "pool",
}
"""What layers are called in the name of a function that makes several."""
COUNTS = ("", "one", "two", "three", "four", "five", "six")


def _wanted(definition: Definition, drafting: Drafting, made: Mapping[str, str]) -> str:
    """The name of a class as its network says it, or of a function after what it makes.

    Args:
        definition: the class or function.
        drafting: of the network.
        made: the names of those before it.
    """
    scope = definition.draft.scope
    if not definition.is_function:
        if drafting.is_inline(scope):
            return _layer_name(definition, drafting)
        if scope.kind in GENERIC:
            return "Block" if scope.name.isdigit() else camel(scope.name.rstrip("0123456789_"))
        return camel(scope.kind)
    if definition.draft.base == drafting.dialect.parallel:
        return "branches"
    if not scope.name.isdigit():
        return snake(scope.name).rstrip("0123456789_") or "block"
    if any(_is_block(part, made) for part in definition.parts):
        return "stage"
    words = list(_makers(definition.parts, made))
    distinct_words = list(dict.fromkeys(words))
    if len(distinct_words) == 1 and 1 < len(words) < len(COUNTS):
        return f"{COUNTS[len(words)]}_{words[0]}s"
    fits = words and len(distinct_words) <= 4 and len(definition.parts) <= 4
    return "_".join(distinct_words) if fits else "block"


def _is_block(part: Part, made: Mapping[str, str]) -> bool:
    """Whether a piece of a row makes an object of a class of the network, or blocks in a loop."""
    if not isinstance(part, Piece):
        return False
    if part.head.startswith("*({} for"):
        return isinstance(part.parts[0], Piece) and part.parts[0].head in made
    return made.get(part.head, "")[:1].isupper()


def _makers(parts: Sequence[Part], made: Mapping[str, str]) -> Iterator[str]:
    """What the layers in some pieces are called."""
    for part in parts:
        if not isinstance(part, Piece):
            continue
        if part.head in made:
            yield made[part.head].split("_")[0]
            continue
        short = part.head.split("(")[0].split(".")[-1]
        if short.endswith("Sequential"):
            yield from _makers(part.parts, made)
        elif short == "Concurrent":
            yield "branches"
        elif part.is_call or part.head.endswith("()"):
            word = next((word for key, word in WORDS.items() if key in short), "")
            yield word or snake(short).replace("_", "")


def _layer_name(definition: Definition, drafting: Drafting) -> str:
    """The name of a layer that does more: `Conv2dReLU`."""
    words = []
    for node in definition.draft.scope.nodes():
        if node is drafting.owner(definition.draft.scope):
            words.append(definition.draft.base.split(".")[-1])
        elif isinstance(node.operation, Reshape):
            words.append("Flat")
        elif (layer := drafting.words[node].layer) is not None:
            words.append(layer.head.split("(")[0].split(".")[-1])
        else:
            words.append(type(node.operation).__name__)
    return "".join(words)


def _extras(definition: Definition) -> list[str]:
    """What may tell a block from others of its kind: its parts, or that it adds what it takes."""
    parts = [camel(n) for n, _ in definition.draft.children if n and not n.isdigit()]
    adds = any("{} + {}" in each for s in definition.draft.statements for each in _heads(s.piece))
    return parts + ["Residual"] * adds


def _heads(part: Part) -> Iterator[str]:
    if isinstance(part, Piece):
        yield part.head
        for each in part.parts:
            yield from _heads(each)
