"""Numbers by their place."""

from __future__ import annotations

from unified_blocks.porting.graph import Node, Value
from unified_blocks.porting.operations.gathers import GatherNd, OneHot, Take, TakeAlong
from unified_blocks.porting.writing.pieces import Part, Slot, call, text
from unified_blocks.porting.writing.pytorch.vocabulary import dtype_of, from_end, writes
from unified_blocks.porting.writing.words import Word


def whole(places: Value) -> Part:
    """Places as PyTorch takes them."""
    return places if places.dtype == "int64" else text("{}.long()", places)


@writes(Take)
def take(operation: Take, node: Node) -> Word:
    x, places = node.inputs
    before = ":, " * operation.axis
    return Word(expression=text(f"{{}}[{before}{{}}]", x, whole(places)))


@writes(TakeAlong)
def take_along(operation: TakeAlong, node: Node) -> Word:
    x, places = node.inputs
    axis = Slot(from_end(operation.axis, x), "dim")
    return Word(expression=call("torch.take_along_dim", x, whole(places), axis))


@writes(GatherNd)
def gather_nd(operation: GatherNd, node: Node) -> Word:
    x, places = node.inputs
    return Word(expression=text("{}[tuple({})]", x, whole(places)))


@writes(OneHot)
def one_hot(operation: OneHot, node: Node) -> Word:
    (places,) = node.inputs  # `F.one_hot` fails for places that are outside
    template = "({}[..., None] == torch.arange({}, device={}.device)).to(" + dtype_of(node) + ")"
    return Word(expression=text(template, places, Slot(operation.depth, "depth"), places))
