"""What the targets that have classes call the same things."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from unified_blocks.porting.graph import Parameter
from unified_blocks.porting.operations.operation import Operation
from unified_blocks.porting.writing.pieces import Part, Piece, call


@dataclass(frozen=True)
class Dialect:
    """How a target with classes says what all of them can say.

    Attributes:
        module: the base of a class with a forward.
        sequence: layers in a row.
        table: the base of a class whose parts have names that are no attributes.
        parallel: a helper: layers that take the same, joined along the channels.
        identity: a layer that does nothing.
        indexed: how a part is named that cannot be an attribute, a `{}` for its name.
        assigned: how such a part is made, another `{}` for it.
        holder: a dict of parts, `...` for what is in it; its own braces are double.
        deep: how a part of a dict in a dict is named, by its dotted name; empty where dicts are
            named like any.
        tensor: the type of a tensor in an annotation.
        argument: what the only input of a block is called.
        renames: whether a part whose name no part may have gets another one.
        parallel_options: what `parallel` takes besides its layers.
        fused: gives a layer that does some more operations, by its own options, or None; where
            there is no such function, a class of its own does, which extends the layer.
        tensors: what makes numbers that no layer owns.
        held: how those are held that are not trained, a `{}` for their name, and one for them;
            empty where they are attributes like any.
        whole: how those are read that are whole numbers, a `{}` for them, and one for their dtype;
            empty where they are read like any.
        reserved: names that no class of a network may have.
        attributes: names that no part of a block may have.
    """

    module: str
    sequence: str
    table: str
    parallel: str
    identity: str
    indexed: str
    assigned: str
    holder: str
    deep: str
    tensor: str
    tensors: Callable[[Parameter], Piece]
    reserved: frozenset[str]
    attributes: frozenset[str]
    argument: str = "x"
    renames: bool = False
    parallel_options: Mapping[str, Any] = field(default_factory=dict)
    held: str = ""
    whole: str = ""
    fused: Callable[[Piece, Sequence[Operation]], Piece | None] | None = None

    def known(self, name: str) -> str:
        """What a part is called that the network calls by this name."""
        return f"{name}_" if self.renames and name in self.attributes else name

    def read(self, parameter: Parameter, source: str) -> str:
        """How a forward reads numbers that no layer owns."""
        dtype = parameter.data.dtype
        return self.whole.format(source, dtype.name) if self.whole and dtype.kind != "f" else source

    def row(self, base: str, parts: Sequence[Part]) -> Piece:
        """What makes layers in a row, or beside each other."""
        return call(base, *parts, **(self.parallel_options if base == self.parallel else {}))
