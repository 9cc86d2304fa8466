"""One call of a block, as code that is not shared with others yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from unified_blocks.porting.graph import Node, Parameter, Value
from unified_blocks.porting.operations.shapes import Concat
from unified_blocks.porting.structure import Item, Scope, given, taken
from unified_blocks.porting.writing.dialect import Dialect
from unified_blocks.porting.writing.forwards import Statement, Step, resolved, statements
from unified_blocks.porting.writing.naming import distinct, is_name, snake
from unified_blocks.porting.writing.pieces import Part, Piece, Slot, skeleton, text
from unified_blocks.porting.writing.words import Word

Path = tuple[str, ...]
CALLED = "{}({})"
LETTERS = ("x", "y", "z", "u", "v", "w")
"""What the inputs of a block are called."""


@dataclass(frozen=True)
class Draft:
    """What a block is made of.

    Attributes:
        scope: the block.
        base: of its class.
        children: the name of each part, and what makes it. Of a sequence their names are numbers;
            of a block that is a layer itself, the layer has no name.
        tensors: numbers that no layer owns, by name.
        inputs: the names of its arguments.
        statements: of its forward; none of a sequence.
    """

    scope: Scope
    base: str
    children: tuple[tuple[str, Piece], ...]
    tensors: tuple[tuple[str, Parameter, Piece], ...] = ()
    inputs: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def parts(self) -> tuple[Piece, ...]:
        """All pieces, in order."""
        return (
            *(piece for _, piece in self.children),
            *(piece for _, _, piece in self.tensors),
            *(statement.piece for statement in self.statements),
        )

    @property
    def key(self) -> Any:
        """What is equal for blocks that can have one class."""
        names = tuple(name for name, _ in self.children)
        tensors = tuple((name, tensor.role, tensor.dtype) for name, tensor, _ in self.tensors)
        targets = tuple(statement.left for statement in self.statements)
        pieces = tuple(map(skeleton, self.parts))
        return self.scope.kind, self.base, names, tensors, self.inputs, targets, pieces


@dataclass
class Drafting:
    """Drafts of the blocks of a network.

    Attributes:
        words: of each node.
        dialect: of the target.
        batch: of the example.
        made: what makes each block that is done, by path.
        owned: of each parameter, the dotted names under which the target holds it.
        layers: what the calls of each layer and block give.
        helpers: that the source needs.
        opened: blocks that are written in the block around them: their calls do not do the same.
    """

    words: Mapping[Node, Word]
    dialect: Dialect
    batch: int
    made: dict[Path, Piece] = field(default_factory=dict)
    owned: dict[Parameter, dict[Path, None]] = field(default_factory=dict)
    layers: dict[Path, dict[Value, None]] = field(default_factory=dict)
    helpers: dict[str, None] = field(default_factory=dict)
    opened: frozenset[Path] = frozenset()

    # What kind of code a block is

    def owner(self, scope: Scope) -> Node | None:
        """The one node whose numbers belong to the block itself: it is a layer, and more."""
        found = [
            item
            for item in scope.items
            if isinstance(item, Node)
            and self.words[item].is_plain_layer
            and any(
                each.path and each.path[:-1] == scope.path
                for each in self.words[item].weights.values()
            )
        ]
        if len(found) != 1 or not scope.path:
            return None
        return found[0]

    def whole(self, scope: Scope) -> Piece | None:
        """The layer that a block of one layer and expressions is by options of its own."""
        fused, owner = self.dialect.fused, self.owner(scope)
        if fused is None or owner is None or not self.is_inline(scope) or not scope.is_chain:
            return None
        layer = self.words[owner].layer
        first, *others = scope.nodes()
        if first is not owner or layer is None:
            return None
        return fused(layer, [node.operation for node in others])

    def _can_stand(self, item: Item) -> bool:
        """Whether an item can stand in a row of layers."""
        if isinstance(item, Node):
            return self.words[item].is_plain_layer
        plain = self.dialect.fused is None or not self.is_inline(item)
        return plain or self.whole(item) is not None

    def is_inline(self, scope: Scope) -> bool:
        """Whether a block is one layer, and expressions around it, which others can write."""
        owner = self.owner(scope)
        return owner is not None and all(
            item is owner
            or (
                isinstance(item, Node)
                and self.words[item].expression is not None
                and not any(p.scalar is None for p in item.parameters)
            )
            for item in scope.items
        )

    def is_sequence(self, scope: Scope) -> bool:
        """Whether a block is layers in a row, with the numbers from 0 on as names."""
        names = [_name(item) for item in scope.items]
        return (
            scope.is_chain
            and not self.has_opened(scope)
            and _are_numbers(names)
            and all(map(self._can_stand, scope.items))
        )

    def is_parallel(self, scope: Scope) -> bool:
        """Whether a block is layers that take the same, and are joined along the channels."""
        *branches, last = scope.items
        if (
            self.has_opened(scope)
            or not isinstance(last, Node)
            or not isinstance(last.operation, Concat)
        ):
            return False
        if last.operation.axis != 1 or scope.outputs != [last.output] or len(scope.inputs) != 1:
            return False
        names = {_name(item): item for item in branches}
        if len(names) != len(branches):
            return False
        for i, value in enumerate(last.inputs):
            item = names.pop(str(i), None)
            if item is None:
                if value is not scope.inputs[0]:
                    return False
            elif taken(item) != scope.inputs or given(item) != [value] or not self._can_stand(item):
                return False
        return not names

    def has_opened(self, scope: Scope) -> bool:
        """Whether some of the blocks in it are opened."""
        return any(isinstance(item, Scope) and item.path in self.opened for item in scope.items)

    def children(self, scope: Scope) -> list[Scope]:
        """The blocks in it that have code of their own."""
        plain = self.is_sequence(scope) or self.is_parallel(scope)
        found: list[Scope] = []
        for item in scope.items:
            if isinstance(item, Scope) and item.path in self.opened:
                found += self.children(item)
            elif not isinstance(item, Scope) or (plain and self.whole(item) is not None):
                continue
            elif plain or not self.is_inline(item):
                found.append(item)
        return found

    # Its code

    def draft(self, scope: Scope) -> Draft:
        """The code of a block whose parts are done."""
        if self.is_sequence(scope):
            return self._row(scope, self.dialect.sequence, len_of(scope.items))
        if self.is_parallel(scope):
            self.helpers[self.dialect.parallel] = None
            concat = scope.items[-1]
            return self._row(scope, self.dialect.parallel, len(taken(concat)))
        return self._block(scope)

    def _row(self, scope: Scope, base: str, count: int) -> Draft:
        items = {_name(item): item for item in scope.items}
        children = []
        for i in range(count):
            item = items.get(str(i))
            if item is None:
                piece = Piece(self.dialect.identity, is_call=True)
            elif isinstance(item, Scope):
                piece = self._commented(self._made(item), item)
                self.gives(item.path, item.outputs[0])
            else:
                piece = self._commented(self._layer(item, (*scope.path, str(i))), item)
            children.append((str(i), piece))
        return Draft(scope, base, tuple(children))

    def _made(self, scope: Scope) -> Piece:
        """What makes a block in a row."""
        whole, owner = self.whole(scope), self.owner(scope)
        if whole is None or owner is None:
            return self.made[scope.path]
        self._owned(owner, scope.path)
        return whole

    def _layer(self, node: Node, path: Path) -> Piece:
        """What makes the layer that a node is, at a path."""
        self.gives(path, node.output)
        return self._owned(node, path)

    def gives(self, path: Path, value: Value) -> None:
        self.layers.setdefault(path, {})[value] = None

    def _owned(self, node: Node, path: Path) -> Piece:
        word = self.words[node]
        for name, weight in word.weights.items():
            self.owned.setdefault(weight, {})[(*path, name)] = None
        self.helpers.update(dict.fromkeys(word.needs))
        assert word.layer is not None
        return word.layer

    def _commented(self, piece: Piece, item: Item) -> Piece:
        note = self._note(given(item)[0], taken(item)[0] if taken(item) else None)
        return Piece(piece.head, piece.parts, piece.names, piece.defaults, piece.is_call, note)

    def _note(self, value: Value, before: Value | None) -> str:
        """The shape of a value, where it is not that of the one before."""
        if before is not None and before.shape == value.shape:
            return ""
        sizes = list(map(self._size, value.shape, value.growth or (0,) * value.rank))
        return f"({', '.join(sizes)}{',' * (len(sizes) == 1)})"

    def _size(self, size: int, growth: int) -> str:
        rest = size - growth * self.batch
        start = "n" if growth == 1 else f"{growth} * n"
        return str(size) if growth == 0 else start if rest == 0 else f"{start} + {rest}"

    def _block(self, scope: Scope) -> Draft:
        return _Block(self, scope).draft()


class _Block:
    """A block with a forward, while it is drafted."""

    def __init__(self, drafting: Drafting, scope: Scope) -> None:
        self.drafting = drafting
        self.scope = scope
        self.dialect = drafting.dialect
        self.owner = drafting.owner(scope) if drafting.dialect.fused is None else None
        self.parts: dict[Path, Piece] = {}
        self.tensors: dict[str, tuple[Parameter, Piece]] = {}
        self.attributes: dict[Parameter, str] = {}
        self.steps: list[Step] = []
        self.plain = True
        self.taken = {_name(item) for item in scope.items}

    def draft(self) -> Draft:
        scope = self.scope
        for item in scope.items:
            self.item(item)
        names: dict[Value, str] = {}
        for value, letter in zip_longest(scope.inputs, LETTERS[: len(scope.inputs)]):
            own = snake(value.name) if not scope.path and len(scope.inputs) > 1 else letter
            names[value] = distinct(own or "x", {*names.values(), "self"})
        lines = statements(self.steps, names, scope.outputs, self.drafting._note)
        base = self.dialect.module if self.plain else self.dialect.table
        if self.owner is not None:
            layer = self.drafting.words[self.owner].layer
            assert layer is not None
            base = layer.head
        tensors = tuple((name, *each) for name, each in self.tensors.items())
        parts = tuple(_nested(self.parts, self.dialect.holder).items())
        return Draft(scope, base, parts, tensors, tuple(names.values()), tuple(lines))

    def item(self, item: Item, inside: Path = ()) -> None:
        """Append what an item does; one that is in opened blocks has their names before its own."""
        if isinstance(item, Node):
            if item is self.owner:
                self.parts[("",)] = self.drafting._owned(item, self.scope.path)
                self.step(item.outputs, text("super().forward({})", *item.taken))
            else:
                self.node(item, inside)
        elif item.path in self.drafting.opened:
            for each in item.items:
                self.item(each, (*inside, self.dialect.known(item.name)))
        elif self.drafting.is_inline(item):
            owner = self.drafting.owner(item)
            for node in item.nodes():
                self.node(node, inside, item.name if node is owner else "")
        else:
            name = (*inside, self.dialect.known(item.name))
            self.parts[name] = self.drafting.made[item.path]
            if item.outputs:
                self.drafting.gives(item.path, item.outputs[0])
            self.call(name, tuple(item.inputs), tuple(item.outputs))

    def node(self, node: Node, inside: Path, name: str = "") -> None:
        """Append a node; one with a name is a layer."""
        word = self.drafting.words[node]
        self.drafting.helpers.update(dict.fromkeys(word.needs))
        if word.expression is not None and not name:
            self.step(node.outputs, word.expression)
            return
        place = (*inside, self.dialect.known(name or node.path[-1]))
        self.parts[place] = self.drafting._layer(node, (*self.scope.path, *place))
        owned = set(word.weights.values())
        inputs = tuple(each for each in node.inputs if each not in owned)
        self.call(place, inputs, node.outputs[: word.count], word.called, word.gives)

    def call(
        self,
        place: Path,
        inputs: tuple[Value, ...],
        outputs: tuple[Value, ...],
        called: str = CALLED,
        gives: str = "",
    ) -> None:
        """Append a call of a part."""
        name, *others = place
        if is_name(name) and name not in self.dialect.attributes:
            source = f"self.{name}"
        else:
            self.plain = False
            source = self.dialect.indexed.format(name)
        source += "".join(f'["{each}"]' for each in others)
        if len(place) > 2 and self.dialect.deep:
            source = self.dialect.deep.format(".".join(place))
        if called.count("{}") != 1 + len(inputs):
            called = called.format("{}", ", ".join(["{}"] * len(inputs)))
        self.step(outputs, text(called, text(source), *inputs), gives)

    def step(self, outputs: tuple[Value, ...], piece: Piece, gives: str = "") -> None:
        self.steps.append(Step(outputs, resolved(piece, self.own), gives))

    def own(self, parameter: Parameter) -> Part:
        """A parameter in an expression: a written constant, or an attribute of the block."""
        if parameter.scalar is not None:
            return Slot(parameter.scalar, "value")
        if parameter not in self.attributes:
            wanted = snake((parameter.path or (parameter.name,))[-1])
            name = distinct(wanted, self.taken | set(self.dialect.attributes))
            self.taken.add(name)
            self.attributes[parameter] = name
            self.tensors[name] = (parameter, self.dialect.tensors(parameter))
            path = (*self.scope.path, name)
            self.drafting.owned.setdefault(parameter, {})[path] = None
        return text(self.dialect.read(parameter, f"self.{self.attributes[parameter]}"))


def _nested(parts: Mapping[Path, Piece], holder: str) -> dict[str, Piece]:
    """Parts by name; those of opened blocks together, as dicts."""
    inner: dict[str, dict[Path, Piece]] = {}
    for (name, *others), piece in parts.items():
        inner.setdefault(name, {})[tuple(others)] = piece
    found: dict[str, Piece] = {}
    for name, pieces in inner.items():
        if () in pieces:
            found[name] = pieces[()]
            continue
        entries = _nested(pieces, holder)
        inside = ", ".join(f'"{each}": {{}}' for each in entries)
        found[name] = text(holder.replace("...", inside), *entries.values())
    return found


def _name(item: Item) -> str:
    return item.path[-1] if isinstance(item, Node) else item.name


def _are_numbers(names: list[str]) -> bool:
    """Whether they count up; some may be missing, which do nothing."""
    if not names or not all(name.isdigit() and str(int(name)) == name for name in names):
        return False
    numbers = [int(name) for name in names]
    return numbers == sorted(set(numbers))


def len_of(items: list[Item]) -> int:
    """How many a row has whose last has the highest number."""
    return int(_name(items[-1])) + 1
